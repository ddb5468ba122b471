import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pino } from "pino";
import { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { sealCustomerKey } from "../producer/index.ts";
import { createWorker } from "../worker/create.ts";
import { generateSealKeys } from "../credentials/seal-keys.ts";
import { redisUrl } from "./fixtures.ts";
import { startHarness } from "./harness.ts";

const vault = randomBytes(32).toString("base64");
const ours = randomBytes(32).toString("base64");

/** A worker whose profile has a key named `vault`, and that opens sealed ones. */
async function start() {
  const folder = await mkdtemp(join(tmpdir(), "bucketline-keys-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const keys = await generateSealKeys();
  const file = join(folder, "seal.json");
  await writeFile(file, JSON.stringify(keys.privateKeys));
  const harness = await startHarness({
    profile: { customerKeys: { vault: { env: "VAULT_KEY" }, short: { env: "SHORT_KEY" } } },
    env: { VAULT_KEY: vault, SHORT_KEY: "c2hvcnQ=", BUCKETLINE_SEAL_KEYS_FILE: file },
  });
  onTestFinished(() => harness.close());
  harness.sandbox.createBucket("in");
  harness.sandbox.createBucket("out");
  return { ...harness, sealed: await sealCustomerKey(keys.publicKeys, ours) };
}

type Started = Awaited<ReturnType<typeof start>>;

async function read({ producer, run }: Started, key: string, customerKey: string | { sealed: string }) {
  const { document } = await run("get-object", { object: { bucket: "out", key }, customerKey });
  return await text(await producer.documents.read(document));
}

/** All that Redis holds under a prefix, as text. */
async function dump(prefix: string): Promise<string> {
  const redis = new Redis(redisUrl());
  try {
    const keys = await redis.keys(`${prefix}*`);
    const values = await Promise.all(keys.map((key) => redis.dumpBuffer(key)));
    return values.map((value) => value?.toString("latin1") ?? "").join("\n");
  } finally {
    redis.disconnect();
  }
}

test(
  "objects are put, copied, moved, read and worked on in batches with the customer's keys",
  { timeout: 60_000 },
  async () => {
    const started = await start();
    const { producer, run, sandbox, sealed, prefix } = started;
    for (const key of ["a", "b", "c"])
      await run("put-object", {
        bucket: "in",
        key,
        document: await producer.documents.write(key.repeat(9), { name: key }),
        customerKey: "vault",
      });
    await expect(run("head-object", { object: { bucket: "in", key: "a" } })).rejects.toMatchObject({ httpStatus: 400 });
    // What is not said is carried over: the copy has the source's key.
    await run("copy-object", {
      object: { bucket: "in", key: "a" },
      customerKey: "vault",
      destination: { bucket: "out" },
    });
    expect(await read(started, "a", "vault")).toBe("aaaaaaaaa");
    await run("move-object", {
      object: { bucket: "in", key: "b" },
      customerKey: "vault",
      destination: { bucket: "out", customerKey: sealed },
    });
    expect(sandbox.keys("in")).toEqual(["a", "c"]);
    expect(await read(started, "b", sealed)).toBe("bbbbbbbbb");
    sandbox.put("in", "plain", "plain");
    const batch = await producer.batches.start({
      operation: "move",
      source: { bucket: "in" },
      customerKey: "vault",
      destination: { bucket: "out", prefix: "batch/", customerKey: sealed },
    });
    expect(await batch.done()).toMatchObject({ succeeded: 3, failed: 0 });
    expect(sandbox.keys("in")).toEqual([]);
    expect(await read(started, "batch/c", sealed)).toBe("ccccccccc");
    expect(await read(started, "batch/plain", sealed)).toBe("plain");
    // All objects of a prefix under another key, where they are.
    const turned = await producer.batches.start({
      operation: "copy",
      source: { bucket: "out", prefix: "batch/" },
      customerKey: sealed,
      destination: { bucket: "out", prefix: "batch/", customerKey: "vault" },
    });
    expect(await turned.done()).toMatchObject({ succeeded: 3, failed: 0, skipped: 0 });
    expect(await read(started, "batch/c", "vault")).toBe("ccccccccc");
    const held = await dump(prefix);
    expect(held).toContain("vault");
    for (const secret of [vault, ours]) expect(held).not.toContain(secret);
  },
);

test("a key that is none is refused with its field before any request", { timeout: 60_000 }, async () => {
  const { run, sandbox, sealed, producer, config, prefix } = await start();
  const object = { bucket: "in", key: "a" };
  const document = await producer.documents.write("a", { name: "a" });
  const refused = { code: "InvalidCustomerKey", field: "customerKey", retryable: false };
  for (const customerKey of ["unknown", "short", { sealed: "no token" }, { sealed: `${sealed.sealed}x` }])
    await expect(run("head-object", { object, customerKey })).rejects.toMatchObject(refused);
  await expect(
    run("put-object", { bucket: "in", document, customerKey: "vault", encryption: { type: "AES256" } }),
  ).rejects.toMatchObject({ code: "InvalidInput", field: "customerKey" });
  await expect(
    run("copy-object", {
      object,
      destination: { bucket: "out", customerKey: "vault" },
      encryption: { type: "AES256" },
    }),
  ).rejects.toMatchObject({ code: "InvalidInput", field: "destination.customerKey" });
  // A key in the place of its name would lie in Redis.
  await expect(run("head-object", { object, customerKey: vault })).rejects.toMatchObject({ code: "InvalidInput" });
  expect(await dump(prefix)).not.toContain(vault);
  expect(sandbox.log).toEqual([]);
  const lines: string[] = [];
  const worker = await createWorker(config, {
    log: pino({ level: "trace" }, { write: (line) => void lines.push(line) }),
  });
  await expect(run("head-object", { object, customerKey: "vault" })).rejects.toMatchObject({ code: "NoSuchKey" });
  await worker.close();
  expect(lines.join("")).not.toContain(vault);
});
