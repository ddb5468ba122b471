import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { hashToken, isPasswordHash, verifyPassword } from "../../../dashboard/password-hash.ts";

const main = fileURLToPath(new URL("../../main.ts", import.meta.url));
const run = (args: readonly string[], input = "") =>
  spawnSync(process.execPath, [main, "dashboard", ...args], { input, encoding: "utf8" });

test("hashes a password from standard input, and refuses a short one", async () => {
  const { stdout, status } = run(["hash-password"], "correct horse battery\n");
  expect(status).toBe(0);
  expect(isPasswordHash(stdout.trim())).toBe(true);
  expect(await verifyPassword("correct horse battery", stdout.trim())).toBe(true);
  const short = run(["hash-password"], "short");
  expect([short.status, short.stderr]).toEqual([1, expect.stringContaining("at least 8 characters")]);
});

test("makes a token with the hash that the dashboard compares it with", () => {
  const { stdout } = run(["create-token"]);
  const [, token = "", hash] = /: (bl_\S+)\n.*: +(\S+)/.exec(stdout) ?? [];
  expect(hashToken(token)).toBe(hash);
});
