import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { Redis } from "ioredis";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { freePort } from "../cli/free-port.ts";
import { createProducer, type Producer, sealCredentials } from "../producer/index.ts";
import type { ActivityInput, ActivityName } from "../jobs/contracts.ts";
import { type Sandbox, startRedis, startSandbox } from "../sandbox/index.ts";
import { describeConfig } from "../worker/config/description.ts";
import { parseWorkerConfig } from "../worker/config/parse.ts";
import { generateSealKeys } from "../credentials/seal-keys.ts";
import { all } from "./batch-harness.ts";

/** In every secret, in the shape of one: no word of ours, so that finding it anywhere is a leak. */
const CANARY = "Zq7cAnArY";
const secret = (where: string) => `${CANARY}${where}/x+y${"0".repeat(12)}`;
/** Access keys are no secrets, but what leaks them is on the way to leak a signature; a slash would end them in a header. */
const keyId = (where: string) => `${CANARY}${where}0000`;
/** As it is, in any case, and as base64 or hex would show it. */
const TRACES = [
  CANARY,
  ...["", "x", "xx"].map((before) =>
    Buffer.from(before + CANARY)
      .toString("base64")
      .slice(before.length === 0 ? 0 : 4, 11),
  ),
  Buffer.from(CANARY).toString("hex"),
].map((trace) => trace.toLowerCase());

/** Everything that anybody could get to see, by where it was seen. */
const seen = new Map<string, string>();
const show = (where: string, text: string) => seen.set(where, (seen.get(where) ?? "") + text);

/** All that an app's log or terminal would show of a result or an error. */
function showThing(where: string, thing: unknown): void {
  const lines: string[] = [];
  const log = pino({ level: "trace" }, { write: (line: string) => void lines.push(line) });
  log.error({ err: thing, thing }, "shown");
  show(where, `${lines.join("")}${JSON.stringify(thing)}${inspect(thing, { depth: 10, showHidden: true })}`);
}

const stack = new AsyncDisposableStack();
let folder: string;
let sandbox: Sandbox;
let producer: Producer;
let redisUrl: string;
let env: Record<string, string>;
let sealed: { readonly sealed: string };
let worker: Running;

type Running = { readonly child: ChildProcess; readonly output: () => string };

function startWorker(where: string, more: Record<string, string> = {}): Running {
  const main = new URL("../worker/main.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [main], { env: { ...env, ...more }, stdio: ["ignore", "pipe", "pipe"] });
  stack.defer(async () => {
    if (child.exitCode === null && child.kill("SIGKILL")) await once(child, "exit");
  });
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => void show(where, chunk.toString("utf8")));
  return { child, output: () => seen.get(where) ?? "" };
}

const says = (running: Running, words: RegExp) =>
  vi.waitFor(() => expect(running.output()).toMatch(words), { timeout: 20_000, interval: 20 });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bucketline-canary-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const redis = await startRedis();
  stack.defer(() => redis.stop());
  redisUrl = await protect(redis.url);
  const good = { accessKeyId: keyId("Id"), secretAccessKey: secret("key") };
  const session = { ...good, accessKeyId: keyId("Session"), sessionToken: secret("token") };
  const old = { ...session, accessKeyId: keyId("Expired"), expiresAt: 1 };
  sandbox = await startSandbox({ credentials: [good, session, old] });
  stack.defer(() => sandbox.close());
  const keys = await generateSealKeys();
  env = {
    REDIS_URL: redisUrl,
    BUCKETLINE_PREFIX: "canary",
    BUCKETLINE_PROFILES: await file(
      "profiles.json",
      JSON.stringify({
        profiles: await profiles(),
        sealed: { ...at(), allow: [{ activities: ["*"], buckets: ["*"] }] },
      }),
    ),
    BUCKETLINE_SEAL_KEYS_FILE: await file("seal.json", JSON.stringify(keys.privateKeys)),
    BUCKETLINE_LOG_LEVEL: "trace",
    BUCKETLINE_REQUEST_TIMEOUT: "1s",
    BUCKETLINE_COPY_TIMEOUT: "1s",
    BUCKETLINE_HEALTH_PORT: String(await freePort(0)),
    DOCUMENTS_URL: pathToFileURL(join(folder, "documents")).href,
    S3_ID: good.accessKeyId,
    S3_KEY: good.secretAccessKey,
    SESSION_ID: session.accessKeyId,
    SESSION_TOKEN: session.sessionToken,
    EXPIRED_ID: old.accessKeyId,
    UNKNOWN_ID: keyId("Unknown"),
    WRONG_KEY: secret("wrong-key"),
  };
  sealed = await sealCredentials(keys.publicKeys, session);
  producer = createProducer({ redis: redisUrl, prefix: "canary", documents: env["DOCUMENTS_URL"] });
  stack.defer(() => producer.close());
  worker = startWorker("the worker's log");
  await says(worker, /taking jobs/);
}, 60_000);
afterAll(() => stack.disposeAsync());

async function protect(url: string): Promise<string> {
  const password = secret("redis");
  const admin = new Redis(url);
  await admin.config("SET", "requirepass", password);
  admin.disconnect();
  return url.replace("//", `//:${encodeURIComponent(password)}@`);
}

async function file(name: string, content: string): Promise<string> {
  await writeFile(join(folder, name), content);
  return join(folder, name);
}

const at = () => ({ endpoint: sandbox.endpoint, region: "us-east-1", conditionalDelete: true, conditionalCopy: true });

async function profiles(): Promise<Record<string, object>> {
  const loud = await file("loud", `#!/bin/sh\necho '${secret("stderr")}' >&2\nexit 1\n`);
  await chmod(loud, 0o700);
  const id = { env: "S3_ID" };
  const key = { env: "S3_KEY" };
  const session = { type: "session", secretAccessKey: key, sessionToken: { env: "SESSION_TOKEN" } };
  const providers = {
    default: { type: "static", accessKeyId: id, secretAccessKey: key },
    files: {
      type: "static",
      accessKeyId: { file: await file("id", keyId("Id")) },
      secretAccessKey: { file: await file("key", secret("key")) },
    },
    session: { ...session, accessKeyId: { env: "SESSION_ID" } },
    expired: { ...session, accessKeyId: { env: "EXPIRED_ID" } },
    unknown: { type: "static", accessKeyId: { env: "UNKNOWN_ID" }, secretAccessKey: key },
    wrong: { type: "static", accessKeyId: id, secretAccessKey: { env: "WRONG_KEY" } },
    gone: { type: "static", accessKeyId: id, secretAccessKey: { file: await file("gone", secret("gone")) } },
    helper: { type: "process", command: [loud, "--token", secret("argument")] },
    role: {
      type: "assume-role",
      roleArn: "arn:aws:iam::222222222222:role/r",
      stsEndpoint: sandbox.endpoint,
      source: { type: "static", accessKeyId: id, secretAccessKey: { env: "WRONG_KEY" } },
    },
    web: {
      type: "web-identity",
      roleArn: "arn:aws:iam::222222222222:role/r",
      tokenFile: await file("web", secret("web-identity")),
      stsEndpoint: "http://127.0.0.1:9",
    },
  };
  const named = Object.entries(providers).map(([name, provider]) => [name, { provider, ...at() }]);
  const down = { provider: providers.default, ...at(), endpoint: "http://127.0.0.1:9" };
  const denied = { provider: providers.default, ...at(), allow: [] };
  return { ...Object.fromEntries(named), down, denied };
}

/** Runs a job to its end and shows what came of it; answers the code that it failed with. */
async function run<Name extends ActivityName>(name: Name, input: ActivityInput<Name>): Promise<string> {
  const where = `the outcome of ${name}`;
  try {
    showThing(where, await producer.run(name, input, { attempts: 1, timeout: 20_000 }));
    return "";
  } catch (error) {
    showThing(where, error);
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}

const head = (credentials: ActivityInput<"head-object">["credentials"]) =>
  run("head-object", { object: { bucket: "in", key: "a" }, credentials });

test("jobs of every kind succeed with every kind of credentials", async () => {
  for (const bucket of ["in", "out"]) sandbox.createBucket(bucket);
  sandbox.put("in", "a", "content", { metadata: { m: "1" } });
  const object = { bucket: "in", key: "a" };
  expect(await Promise.all(["default", "files", "session", sealed].map(head))).toEqual(["", "", "", ""]);
  expect(await run("list-buckets", {})).toBe("");
  expect(await run("list-objects", { bucket: "in", credentials: sealed })).toBe("");
  expect(await run("get-object", { object, deleteAfterDownload: false })).toBe("");
  const document = await producer.documents.write("x", { name: "x.txt" });
  expect(await run("put-object", { bucket: "in", document, credentials: "session" })).toBe("");
  expect(await run("copy-object", { object, destination: { bucket: "out", credentials: sealed } })).toBe("");
  expect(await run("move-object", { object, destination: { bucket: "out", key: "b" } })).toBe("");
  expect(await run("delete-object", { object: { bucket: "out", key: "b" } })).toBe("");
  expect(await run("validate-credentials", { credentials: sealed })).toBe("");
  expect(await run("create-bucket", { bucket: "made" })).toBe("");
  expect(await run("head-bucket", { bucket: "made" })).toBe("");
  expect(await run("delete-bucket", { bucket: "made" })).toBe("");
}, 60_000);

test("jobs fail for want of the right credentials, of permission, of the store and of an object", async () => {
  await rm(join(folder, "gone"));
  const codes = {
    expired: "ExpiredToken",
    unknown: "InvalidAccessKeyId",
    wrong: "SignatureDoesNotMatch",
    gone: "CredentialsUnavailable",
    helper: "CredentialsUnavailable",
    role: "CredentialsUnavailable",
    web: "CredentialsUnavailable",
    down: "NetworkError",
    denied: "PolicyDenied",
    nobody: "UnknownProfile",
  };
  // A HEAD has no body that could say why; a listing says it in the store's words.
  const list = (credentials: string) => run("list-objects", { bucket: "in", credentials });
  const got = await Promise.all(Object.keys(codes).map(async (name) => [name, await list(name)]));
  expect(Object.fromEntries(got)).toEqual(codes);
  await Promise.all(Object.keys(codes).map(head));
  expect(await head({ sealed: `${sealed.sealed}x` })).toBe("InvalidSealedCredentials");
  expect(await run("get-object", { object: { bucket: "in", key: "none" } })).toBe("NoSuchKey");
  expect(await run("list-objects", { bucket: "none" })).toBe("NoSuchBucket");
}, 60_000);

test("jobs fail when the store answers with what it was sent, breaks off, or does not answer", async () => {
  sandbox.put("in", "fails", "x");
  const object = { bucket: "in", key: "fails" };
  const operation = ["GetObject", "CopyObject", "ListObjectsV2"] as const;
  const echo = `Authorization: AWS4-HMAC-SHA256 Credential=${keyId("Id")}/20261122/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00`;
  const troubles = [
    { kind: "status", status: 400, code: "InvalidRequest", message: echo },
    { kind: "status", status: 403, code: "AccessDenied", message: `x-amz-security-token=${secret("token")} is wrong` },
    { kind: "reset" },
    { kind: "stall" },
    { kind: "truncate" },
    { kind: "html-200" },
    { kind: "error-in-200", message: echo },
    { kind: "slow-down", times: 1 },
  ] as const;
  for (const trouble of troubles) {
    const fault = sandbox.fault({ ...trouble, operation });
    await Promise.all([
      run("get-object", { object, credentials: "session" }),
      run("copy-object", { object, destination: { bucket: "out" }, credentials: sealed }),
      run("list-objects", { bucket: "in", credentials: "session" }),
    ]);
    expect(fault.hits).toBeGreaterThan(0);
    fault.remove();
  }
}, 120_000);

test("batches succeed and fail", async () => {
  for (let i = 0; i < 30; i++) sandbox.put("in", `many/${i}`, "x");
  const spec = {
    operation: "move",
    source: { bucket: "in", prefix: "many/" },
    destination: { bucket: "out", credentials: sealed },
    credentials: "session",
  } as const;
  const message = `x-amz-security-token=${secret("token")} is wrong`;
  const fault = sandbox.fault({ operation: "PutObject", key: "many/7", kind: "status", status: 403, message });
  const batch = await producer.batches.start(spec);
  expect(await batch.done()).toMatchObject({ succeeded: 29, failed: 1 });
  fault.remove();
  showThing("the report", [await batch.status(), await all(batch.report()), await batch.recentFailures()]);
  for (const credentials of ["wrong", "denied", "gone"]) {
    const failing = await producer.batches.start({ ...spec, credentials });
    await failing.done().catch((error: unknown) => showThing("the error of a batch", error));
    expect((await failing.status()).state).toBe("failed");
    showThing("the status of a batch", await failing.status());
  }
  // Credentials that expired may be renewed, so the batch waits and says so.
  const waiting = await producer.batches.start({ ...spec, credentials: "expired" });
  await vi.waitFor(async () => expect((await waiting.status()).trouble?.code).toBe("ExpiredToken"), {
    timeout: 10_000,
  });
  showThing("the status of a batch", await waiting.status());
  await waiting.cancel();
}, 60_000);

test("a worker and an app that Redis refuses say so, and a wrong configuration is told", async () => {
  // What a profile lacks at the start would be told instead.
  await writeFile(join(folder, "gone"), secret("gone"));
  const wrong = redisUrl.replace(/:[^:@]+@/, `:${encodeURIComponent(secret("wrong-redis"))}@`);
  const refused = startWorker("the log of a worker that Redis refused", {
    REDIS_URL: wrong,
    BUCKETLINE_HEALTH_PORT: "",
  });
  await says(refused, /WRONGPASS|NOAUTH/);
  refused.child.kill("SIGTERM");
  const misled = startWorker("the last words of a worker told wrong", { REDIS_URL: wrong.replace("redis:", "http:") });
  await says(misled, /REDIS_URL/);
  const app = createProducer({ redis: wrong, prefix: "canary", redisTimeout: 1500 });
  const error: unknown = await app.enqueue("list-buckets", {}).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Error);
  showThing("the error of an app that Redis refused", error);
  await app.close();
}, 60_000);

test("the pages beside the probes are there to be read", async () => {
  const statuses: number[] = [];
  for (const path of ["livez", "readyz", "metrics", "nowhere"]) {
    const answer = await fetch(`http://127.0.0.1:${env["BUCKETLINE_HEALTH_PORT"]}/${path}`);
    statuses.push(answer.status);
    show(`/${path}`, `${JSON.stringify([...answer.headers])}${await answer.text()}`);
  }
  expect(statuses).toEqual([200, 200, 200, 404]);
  showThing("describeConfig", describeConfig(parseWorkerConfig(env)));
});

test("a worker goes on trying when Redis no longer takes its password", async () => {
  const admin = new Redis(redisUrl);
  admin.on("error", () => {}); // it loses its connection too
  await admin.config("SET", "requirepass", secret("renewed"));
  await admin.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
  await says(worker, /WRONGPASS[^]*WRONGPASS/);
  await admin.config("SET", "requirepass", secret("redis"));
  admin.disconnect();
  expect(await run("list-buckets", {})).toBe("");
}, 30_000);

test("no secret was shown anywhere", async () => {
  for (const [where, text] of await redisContents()) show(where, text);
  for (const path of await readdir(join(folder, "documents"), { recursive: true, withFileTypes: true }))
    if (path.isFile()) show(`document ${path.name}`, await readFile(join(path.parentPath, path.name), "latin1"));
  const exited = once(worker.child, "exit");
  expect(worker.child.exitCode, `the worker ended by itself: ${worker.output().slice(-2000)}`).toBeNull();
  worker.child.kill("SIGTERM");
  await exited;
  expect(worker.output().includes('"msg":"stopped"')).toBe(true);
  expect(seen.size).toBeGreaterThan(100);
  const leaks = [...seen].flatMap(([where, text]) => {
    const found = TRACES.map((trace) => text.toLowerCase().indexOf(trace)).find((index) => index >= 0);
    return found === undefined ? [] : [`${where}: ...${text.slice(Math.max(0, found - 200), found + 60)}`];
  });
  expect(leaks.slice(0, 10)).toEqual([]);
}, 30_000);

/** Every key of this file's worker and app with its value, of every type; other files' keys share the server. */
async function redisContents(): Promise<[string, string][]> {
  const redis = new Redis(redisUrl);
  const contents: [string, string][] = [];
  for await (const keys of redis.scanStream({ match: "canary*", count: 1000 }))
    for (const key of keys as string[]) contents.push([`Redis key ${key}`, key + (await valueOf(redis, key))]); // what scanStream yields
  redis.disconnect();
  return contents;
}

async function valueOf(redis: Redis, key: string): Promise<string> {
  const type = await redis.type(key);
  const read: Record<string, () => Promise<unknown>> = {
    string: () => redis.get(key),
    hash: () => redis.hgetall(key),
    list: () => redis.lrange(key, 0, -1),
    set: () => redis.smembers(key),
    zset: () => redis.zrange(key, "0", "-1", "WITHSCORES"),
    stream: () => redis.xrange(key, "-", "+"),
  };
  // A lock may run out between the scan and this look; there is nothing left to show.
  if (type === "none") return "";
  const value = read[type];
  if (value === undefined) throw new Error(`no way to read ${key}, a ${type}`);
  return JSON.stringify(await value());
}
