import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { redisUrl, uniquePrefix } from "../test/fixtures.ts";

const main = fileURLToPath(new URL("./main.ts", import.meta.url));

function start(settings: Readonly<Record<string, string>>) {
  const env = { PATH: process.env["PATH"], REDIS_URL: redisUrl(), BUCKETLINE_PREFIX: uniquePrefix(), ...settings };
  const child = spawn(process.execPath, [main], { env, stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  return { child, errors: text(child.stderr), exited: once(child, "exit") };
}

test("exits with 1 where the start failed after it began", async () => {
  const { child, errors, exited } = start({ BUCKETLINE_PROFILES: "/nope" });
  child.stdout.resume();
  expect(await exited).toEqual([1, null]);
  expect(await errors).toContain("/nope");
});

test("exits with 0 when it is told to end", async () => {
  const { child, exited } = start({ BUCKETLINE_ACTIVITIES: "head-bucket" });
  let output = "";
  for await (const chunk of child.stdout) {
    output += String(chunk);
    if (output.includes("taking jobs")) break;
  }
  child.kill("SIGTERM");
  expect(await exited).toEqual([0, null]);
});
