import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { VERSION } from "../model/version.ts";
import { redisUrl, uniquePrefix } from "../test/fixtures.ts";
import { childEnv } from "../test/child-env.ts";

const main = fileURLToPath(new URL("./main.ts", import.meta.url));

function start(settings: Readonly<Record<string, string>>) {
  const env = { ...childEnv(), REDIS_URL: redisUrl(), BUCKETLINE_PREFIX: uniquePrefix(), ...settings };
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

test("tells its version in the log and in its metrics, and the port that it took", async () => {
  const { child } = start({ BUCKETLINE_ACTIVITIES: "head-bucket", BUCKETLINE_HEALTH_PORT: "0" });
  let output = "";
  for await (const chunk of child.stdout) {
    output += String(chunk);
    if (output.includes("serving probes and metrics")) break;
  }
  const lines = output
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as { msg: string; port?: number; version?: string }); // pino's
  expect(lines.find(({ msg }) => msg === "starting")?.version).toBe(VERSION);
  const port = lines.find(({ msg }) => msg === "serving probes and metrics")?.port;
  const page = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  expect(page).toContain(`bucketline_build_info{version="${VERSION}",node="${process.version}"} 1`);
});
