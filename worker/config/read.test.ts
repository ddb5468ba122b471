import { createServer } from "node:http";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { readWorkerConfig } from "./read.ts";

async function folderWith(files: Readonly<Record<string, unknown>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "bucketline-config-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), JSON.stringify(content));
  return folder;
}

const problemsOf = async (env: NodeJS.ProcessEnv, cwd?: string): Promise<readonly string[]> =>
  await readWorkerConfig(env, { ...(cwd !== undefined && { cwd }) }).then(
    () => [],
    (error: Error) => error.message.split("\n  - ").slice(1),
  );

test("tells all that is wrong with variables, profiles, seal keys, endpoint and probes in one list", async () => {
  const cwd = await folderWith({
    "profiles.json": { profiles: { a: { provider: { type: "chain" }, endpoint: "ftp://x", regoin: "x" } } },
    "keys.json": { keys: [] },
  });
  const problems = await problemsOf(
    {
      REDIS_URL: "http://x",
      DOCUMENTS_URL: "s3://documents/a//b",
      BUCKETLINE_CONCURENCY: "8",
      BUCKETLINE_PROFILES: "profiles.json",
      BUCKETLINE_SEAL_KEYS_FILE: "keys.json",
      BUCKETLINE_HEALTH_HOST: "nowhere.invalid",
      BUCKETLINE_HEALTH_PORT: "0",
      AWS_ENDPOINT_URL_S3: "localhost:9000",
    },
    cwd,
  );
  expect(problems.map((line) => line.slice(0, line.indexOf(":"))).toSorted()).toEqual([
    "AWS_ENDPOINT_URL_S3",
    "BUCKETLINE_CONCURENCY",
    "BUCKETLINE_HEALTH_HOST",
    "BUCKETLINE_PROFILES",
    "BUCKETLINE_PROFILES",
    "BUCKETLINE_SEAL_KEYS_FILE",
    "DOCUMENTS_URL",
    "REDIS_URL",
  ]);
  expect(problems).toContain("BUCKETLINE_PROFILES: profiles.a.endpoint: expected an http or https URL, or aws");
  expect(problems.join("\n")).toContain(
    'BUCKETLINE_PROFILES: profiles.a: unknown field "regoin"; did you mean region?',
  );
});

test("names files that are not there, a profile that documents need, and a port that is taken", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo; // it listens on one
  const env = { BUCKETLINE_HEALTH_PORT: String(port) };
  const files = { BUCKETLINE_PROFILES: "/none.json", BUCKETLINE_SEAL_KEYS_FILE: "/none.jwk" };
  expect(await problemsOf({ ...env, ...files })).toEqual([
    "BUCKETLINE_PROFILES: expected a readable profiles file at /none.json, got ENOENT",
    "BUCKETLINE_SEAL_KEYS_FILE: expected a readable seal keys file at /none.jwk, got ENOENT",
    `BUCKETLINE_HEALTH_PORT: expected a free port, ${port} is taken at 127.0.0.1`,
  ]);
  expect(await problemsOf({ DOCUMENTS_URL: "s3://documents?profile=defualt" })).toEqual([
    "DOCUMENTS_URL: expected one of the profiles default, got defualt; did you mean default?",
  ]);
  expect(await readWorkerConfig(env, { besideWorker: true })).toMatchObject({ health: { port } });
});
