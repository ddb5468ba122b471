import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

type Locked = { readonly integrity?: string; readonly resolved?: string; readonly link?: boolean };

test("every package of the lock file has its hash, and comes from no other place than a registry", () => {
  const { packages } = JSON.parse(readFileSync(new URL("../package-lock.json", import.meta.url), "utf8")) as {
    readonly packages: Readonly<Record<string, Locked>>;
  };
  const entries = Object.entries(packages).filter(([path]) => path !== "");
  expect(entries.length).toBeGreaterThan(300);
  expect(
    entries.filter(([, { integrity }]) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? "")).map(([path]) => path),
  ).toEqual([]);
  const elsewhere = entries.filter(
    ([, { resolved, link }]) => link === true || /^(git|file|http:)/.test(resolved ?? ""),
  );
  expect(elsewhere.map(([path]) => path)).toEqual([]);
});
