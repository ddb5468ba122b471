import { expect, test } from "vitest";
import { assureHome } from "./assure-home.ts";

test("a user that no list of users knows gets the root as home, and everybody else keeps what they have", () => {
  const unknown: NodeJS.ProcessEnv = {};
  assureHome(unknown, () => {
    throw new Error("A system error occurred: uv_os_homedir returned ENOENT (no such file or directory)");
  });
  expect(unknown).toEqual({ HOME: "/" });
  const known = { HOME: "/home/ada" };
  assureHome(known);
  expect(known).toEqual({ HOME: "/home/ada" });
});
