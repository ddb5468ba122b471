import { setTimeout } from "node:timers/promises";
import type { Job } from "bullmq";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { all, type BatchHarness, startBatchHarness } from "../../test/batch-harness.ts";
import type { DocumentStore } from "../../documents/interface.ts";
import { ActivityError } from "../../model/activity-error.ts";
import type { S3 } from "../../s3/interface.ts";
import { wantedBatchJobs } from "../state/queue.ts";
import type { BatchSpecInput } from "../spec/request.ts";
import { createBatchStore } from "../state/store.ts";
import { type ChunkProcessor, createChunkProcessor } from "../chunk-processor.ts";

/** No BullMQ worker runs here: each test delivers the jobs itself, to processors that die and come back as it says. */
let harness: BatchHarness;
let inexact: BatchHarness;
beforeAll(async () => {
  harness = await startBatchHarness({ workers: 0, watchdogMs: 60_000 });
  inexact = await startBatchHarness({
    workers: 0,
    watchdogMs: 60_000,
    sandbox: { enforceConditions: { delete: false, multiDelete: false } },
    connection: { conditionalDelete: false },
  });
});
afterAll(async () => {
  await harness.close();
  await inexact.close();
});

/** Pages so small that a few objects make several chunks. */
const PAGE = 3;
const EFFECTS = new Set(["copy", "deleteMany", "listPage", "find", "head", "proves", "headBucket"]);

type Life = {
  /** Called around every effect of the worker on the world. */
  around<Result>(name: string, effect: () => Promise<Result>): Promise<Result>;
};

const HEALTHY: Life = { around: (_, effect) => effect() };

/** Dies at its `at`-th effect, or the first of that name, before or after it takes place: from then on nothing that it does goes through, until it is woken. */
function mortal(at: number | string, when: "before" | "after") {
  let effects = 0;
  let dead = false;
  const died = Promise.withResolvers<string>();
  const woken = Promise.withResolvers<void>();
  const life: Life = {
    async around(name, effect) {
      if (dead) await woken.promise;
      effects++;
      const last = typeof at === "number" ? effects === at : name === at;
      if (last && when === "before") {
        dead = true;
        died.resolve(`before ${name}`);
        await woken.promise;
      }
      const result = await effect();
      if (last && when === "after") {
        dead = true;
        died.resolve(`after ${name}`);
      }
      if (dead) await woken.promise;
      return result;
    },
  };
  return { life, died: died.promise, wake: () => woken.resolve() };
}

function startWorker(at: BatchHarness, life: Life): ChunkProcessor {
  const { deps } = at;
  const wrap = <Thing extends object>(thing: Thing, names: ReadonlySet<string>, room: string): Thing =>
    new Proxy(thing, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        const bound = value.bind(target) as (...args: unknown[]) => Promise<unknown>; // methods of an interface
        if (typeof name !== "string" || !names.has(name)) return bound;
        return (...args: unknown[]) => life.around(`${room}.${name}`, () => bound(...args));
      },
    });
  const small = new Map<S3, S3>();
  return createChunkProcessor({
    ...deps,
    redis: wrap(deps.redis, new Set(["callBuffer", "hget", "hmget", "multi"]), "redis"),
    queue: wrap(deps.queue, new Set(["add"]), "queue"),
    documents: wrap(deps.documents, new Set(["write"]), "documents"),
    s3For: async (credentials, activity, spec) => {
      const s3 = await deps.s3For(credentials, activity, spec);
      const paged: S3 = {
        ...s3,
        listPage: (request, call) =>
          s3.listPage({ ...request, maxKeys: Math.min(PAGE, request.maxKeys ?? PAGE) }, call),
      };
      const wrapped = small.get(s3) ?? wrap(paged, EFFECTS, "s3");
      small.set(s3, wrapped);
      return wrapped;
    },
  });
}

/** Delivers whatever jobs the batch wants until it wants none. */
async function drive(
  at: BatchHarness,
  worker: ChunkProcessor,
  id: string,
  signal = new AbortController().signal,
): Promise<void> {
  const store = createBatchStore(at.redis, at.prefix);
  for (let rounds = 0; rounds < 200; rounds++) {
    const wanted = await store.wanted(id);
    const jobs = wanted === undefined ? [] : wantedBatchJobs(id, wanted);
    if (jobs.length === 0) return;
    // Real deliveries of one chunk lie a lock apart; without any pause several drivers push each other out for ever.
    if (rounds > 5) await setTimeout(Math.random() * 4 * rounds);
    for (const job of jobs) await deliver(worker, job, signal);
  }
  throw new Error("the batch does not end");
}

async function deliver(
  worker: ChunkProcessor,
  { id, data }: { id: string; data: unknown },
  signal = new AbortController().signal,
  delayed: (until: number) => void = () => {},
): Promise<void> {
  const moveToDelayed = async (until: number) => delayed(until);
  const job = { id, data, moveToDelayed } as unknown as Job; // all that the processor asks of it
  try {
    await worker(job, "token", signal);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "DelayedError") throw error;
  }
}

let made = 0;
function world(
  at: BatchHarness,
  objects = 5,
  etag?: (index: number) => string,
): { from: string; to: string; contents: Map<string, string> } {
  made++;
  const [from, to] = [`crash-in-${made}`, `crash-out-${made}`];
  at.sandbox.createBucket(from);
  at.sandbox.createBucket(to);
  const contents = new Map<string, string>();
  for (let i = 0; i < objects; i++) {
    const key = `k${String(i).padStart(3, "0")}`;
    contents.set(key, `content of ${key}`);
    at.sandbox.put(from, key, `content of ${key}`, etag === undefined ? {} : { etag: etag(i) });
  }
  return { from, to, contents };
}

type World = ReturnType<typeof world>;

async function expectExact(
  at: BatchHarness,
  id: string,
  { from, to, contents }: World,
  operation: string,
): Promise<void> {
  const status = await at.batches.get(id).status();
  expect(status).toMatchObject({
    state: "completed",
    listed: contents.size,
    succeeded: contents.size,
    failed: 0,
    skipped: 0,
    unattempted: 0,
  });
  const rows = await all(at.batches.get(id).report());
  expect(rows.map(({ key }) => key).toSorted()).toEqual([...contents.keys()]);
  expect(rows.every((row) => row.status === "succeeded")).toBe(true);
  const expected = Object.fromEntries(contents);
  const held = (bucket: string) =>
    Object.fromEntries(at.sandbox.keys(bucket).map((key) => [key, at.sandbox.text(bucket, key)]));
  expect(held(to)).toEqual(operation === "delete" ? {} : expected);
  expect(held(from)).toEqual(operation === "copy" ? expected : {});
  // Nothing of chunks is left behind.
  expect(await at.redis.keys(`${at.prefix}:~batch:${id}:chunk:*`)).toEqual([]);
}

/** Each case lives through some thirty deaths, and all cases at once in one process. */
const LONG = 240_000;

const CASES = [
  ["move", "before", "exact"],
  ["move", "after", "exact"],
  ["move", "before", "best-effort"],
  ["move", "after", "best-effort"],
  ["move", "before", "woken later"],
  ["move", "after", "woken later"],
  ["move", "after", "unprovable afterwards"],
  ["copy", "before", "exact"],
  ["copy", "after", "woken later"],
  ["delete", "after", "exact"],
  ["delete", "before", "best-effort"],
  ["delete", "before", "woken later"],
] as const;

describe("a worker that dies at any of its steps, and another that goes on,", () => {
  test.concurrent.each(CASES)(
    "%s every object once (%s the step, %s)",
    { timeout: LONG },
    async (operation, when, kind) => {
      const at = kind === "best-effort" ? inexact : harness;
      const steps = new Set<string>();
      for (let step = 1; ; step++) {
        // As after a multipart upload: the copy gets another ETag, so only what was written down can prove it once the source is gone.
        const etag = (index: number): string => `${String(index).padStart(32, "0")}-2`;
        const place = kind === "unprovable afterwards" ? world(at, 5, etag) : world(at);
        const id = await start(at, operation, place);
        const { life, died, wake } = mortal(step, when);
        const first = startWorker(at, life);
        const run = drive(at, first, id);
        const how = await Promise.race([died, run.then(() => "survived")]);
        steps.add(how);
        const second = startWorker(at, HEALTHY);
        await drive(at, second, id);
        if (kind === "woken later") {
          wake();
          await run;
        }
        await expectExact(at, id, place, operation).catch((error: unknown) => {
          throw new Error(`died ${how} (step ${step})`, { cause: error });
        });
        first.close();
        second.close();
        if (how === "survived") break;
      }
      expect([...steps].some((step) => step.includes("queue.add"))).toBe(true);
      expect([...steps].some((step) => step.includes("documents.write"))).toBe(true);
      expect([...steps].some((step) => step.includes("s3.deleteMany"))).toBe(operation !== "copy");
    },
  );
});

async function start(
  at: BatchHarness,
  operation: "move" | "copy" | "delete",
  { from, to }: World,
  more: Partial<BatchSpecInput> = {},
): Promise<string> {
  const destination = operation === "delete" ? {} : { destination: { bucket: to } };
  const batch = await at.batches.start({ operation, source: { bucket: from }, ...destination, ...more });
  return batch.id;
}

describe("a chunk that is delivered twice at once", () => {
  test("is counted once, with the report of the delivery that counted", async () => {
    const place = world(harness, 8);
    const id = await start(harness, "move", place);
    const workers = [1, 2, 3].map(() => startWorker(harness, HEALTHY));
    await Promise.all(workers.map((worker) => drive(harness, worker, id)));
    await expectExact(harness, id, place, "move");
    expect(harness.sandbox.count(place.to)).toBe(8);
    for (const worker of workers) worker.close();
  });
});

describe("commands that Redis carries out twice, because their answer was lost and the client sent them again,", () => {
  const TWICE: Life = {
    async around(name, effect) {
      if (name === "redis.callBuffer") await effect();
      return await effect();
    },
  };

  test.each(["move", "copy", "delete"] as const)("change nothing about a %s and its report", async (operation) => {
    const place = world(harness, 8);
    const id = await start(harness, operation, place);
    const worker = startWorker(harness, TWICE);
    await drive(harness, worker, id);
    await expectExact(harness, id, place, operation);
    expect(await harness.batches.get(id).throughput()).not.toEqual([]);
    worker.close();
  });
});

describe("an answer of Redis that gets lost", () => {
  test("does not make a chunk take its own report for a leftover", async () => {
    const place = world(harness, 8);
    const id = await start(harness, "move", place);
    // What ioredis does after a connection broke: it sends again what had no answer.
    const redis = new Proxy(harness.redis, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        const bound = value.bind(target) as (...args: unknown[]) => unknown; // methods of ioredis
        if (name !== "callBuffer") return bound;
        return async (...args: unknown[]) => {
          await bound(...args);
          return await bound(...args);
        };
      },
    });
    const worker = createChunkProcessor({ ...harness.deps, redis });
    await drive(harness, worker, id);
    expect(await all(harness.batches.get(id).report())).toHaveLength(8);
    await expectExact(harness, id, place, "move");
    worker.close();
  });
});

describe("a chunk whose end is refused for good", () => {
  test("comes again ever less often, and ends with its batch once it can", async () => {
    const place = world(harness, 3);
    const id = await start(harness, "move", place);
    let refused = true;
    const documents: DocumentStore = {
      ...harness.documents,
      write: (source, options) =>
        refused && options.name.startsWith("report")
          ? Promise.reject(new ActivityError("AccessDenied", "the folder is not ours"))
          : harness.documents.write(source, options),
    };
    const worker = createChunkProcessor({ ...harness.deps, documents });
    const waits: number[] = [];
    for (let round = 0; round < 6; round++) {
      const wanted = await createBatchStore(harness.redis, harness.prefix).wanted(id);
      const jobs = wanted === undefined ? [] : wantedBatchJobs(id, wanted);
      for (const job of jobs) await deliver(worker, job, undefined, (at) => waits.push(at - Date.now()));
    }
    expect(waits[0], "the first time the chunk is to find the batch failing").toBeLessThan(100);
    expect(waits.at(-1)).toBeGreaterThan(1000);
    expect((await harness.batches.get(id).status()).trouble).toMatchObject({ code: "AccessDenied" });
    refused = false;
    await drive(harness, worker, id);
    expect(await harness.batches.get(id).status()).toMatchObject({ state: "failed", listed: 3, succeeded: 3 });
    expect(await all(harness.batches.get(id).report())).toHaveLength(3);
    worker.close();
  });
});

describe("a crash under onConflict: fail", () => {
  test.each(["before", "after"] as const)("never takes its own copies for somebody else's (%s)", async (when) => {
    for (let step = 1; ; step++) {
      const place = world(harness, 5);
      harness.sandbox.put(place.to, "k002", "theirs");
      const id = await start(harness, "move", place, { onConflict: "fail" });
      const { life, died } = mortal(step, when);
      const first = startWorker(harness, life);
      const how = await Promise.race([died, drive(harness, first, id).then(() => "survived")]);
      const second = startWorker(harness, HEALTHY);
      await drive(harness, second, id);
      expect(await harness.batches.get(id).status()).toMatchObject({
        state: "completed",
        succeeded: 4,
        failed: 1,
        errors: { DestinationExists: 1 },
      });
      expect(harness.sandbox.text(place.to, "k002")).toBe("theirs");
      expect(harness.sandbox.keys(place.from)).toEqual(["k002"]);
      first.close();
      second.close();
      if (how === "survived") return;
    }
  });
});

describe("a crash before a cancel", () => {
  test.each(["move", "delete"] as const)("leaves a %s with rows that say what is true", async (operation) => {
    for (let step = 1; ; step++) {
      const place = world(harness, 6);
      const id = await start(harness, operation, place);
      const { life, died } = mortal(step, "after");
      const first = startWorker(harness, life);
      const how = await Promise.race([died, drive(harness, first, id).then(() => "survived")]);
      // Not by the handle, which would wait until the dead worker can not delete any more.
      await createBatchStore(harness.redis, harness.prefix).steer(id, "cancel");
      const second = startWorker(harness, HEALTHY);
      const deletesBefore = harness.sandbox.calls("DeleteObjects");
      await drive(harness, second, id);
      expect(harness.sandbox.calls("DeleteObjects"), "nothing is deleted after a cancel").toBe(deletesBefore);
      const status = await harness.batches.get(id).status();
      expect(["cancelled", "completed"]).toContain(status.state);
      expect(status.succeeded + status.failed + status.skipped + status.unattempted).toBe(status.listed);
      const rows = await all(harness.batches.get(id).report());
      expect(rows).toHaveLength(status.listed);
      const untrue = rows.filter(({ key, status: outcome }) => {
        const [here, there] = [harness.sandbox.text(place.from, key), harness.sandbox.text(place.to, key)];
        const lost = operation === "move" && here === undefined && there !== place.contents.get(key);
        return lost || (here === undefined) !== (outcome === "succeeded");
      });
      expect(untrue, `died ${how}`).toEqual([]);
      first.close();
      second.close();
      if (how === "survived") return;
    }
  });
});

describe("a worker that may not look at objects, and died before a cancel,", () => {
  test.each(["move", "delete"] as const)("ends a %s with rows that claim nothing", async (operation) => {
    const place = world(harness, 3);
    const id = await start(harness, operation, place);
    const { life, died } = mortal("s3.deleteMany", "after");
    const mortalWorker = startWorker(harness, life);
    expect(await Promise.race([died, drive(harness, mortalWorker, id)])).toBe("after s3.deleteMany");
    mortalWorker.close();
    await createBatchStore(harness.redis, harness.prefix).steer(id, "cancel");
    const refuse = { kind: "status", status: 403, code: "AccessDenied", bucket: place.from } as const;
    const faults = (["HeadObject", "GetObject"] as const).map((name) =>
      harness.sandbox.fault({ ...refuse, operation: name }),
    );
    const worker = startWorker(harness, HEALTHY);
    await drive(harness, worker, id);
    for (const fault of faults) fault.remove();
    expect(await harness.batches.get(id).status()).toMatchObject({
      state: "cancelled",
      failed: 3,
      errors: { AccessDenied: 3 },
    });
    const rows = await all(harness.batches.get(id).report());
    expect(rows.filter(({ message = "" }) => !message.includes("nobody may look"))).toEqual([]);
    worker.close();
  });
});

describe("a move that was copied but not deleted by a worker that died", () => {
  /** Leaves proven copies behind whose sources are still to be deleted. */
  async function halfDone(): Promise<{ id: string; place: World }> {
    for (let step = 1; ; step++) {
      const place = world(harness, 3);
      const id = await start(harness, "move", place);
      const { life, died } = mortal(step, "before");
      const worker = startWorker(harness, life);
      const how = await Promise.race([died, drive(harness, worker, id)]);
      worker.close();
      if (how === "before s3.deleteMany") return { id, place };
    }
  }

  test("keeps the source, and copies again, where the copy is gone when the next one comes", async () => {
    const { id, place } = await halfDone();
    harness.sandbox.delete(place.to, "k001");
    const worker = startWorker(harness, HEALTHY);
    const copies = harness.sandbox.calls("CopyObject");
    await drive(harness, worker, id);
    expect(harness.sandbox.calls("CopyObject")).toBe(copies + 1);
    await expectExact(harness, id, place, "move");
    worker.close();
  });

  test("keeps a source that changed meanwhile", async () => {
    const { id, place } = await halfDone();
    harness.sandbox.put(place.from, "k001", "newer");
    const worker = startWorker(harness, HEALTHY);
    await drive(harness, worker, id);
    expect(await harness.batches.get(id).status()).toMatchObject({
      succeeded: 2,
      failed: 1,
      errors: { SourceChanged: 1 },
    });
    expect(harness.sandbox.text(place.from, "k001")).toBe("newer");
    worker.close();
  });

  test("keeps all sources after a cancel, and says so", async () => {
    const { id, place } = await halfDone();
    await createBatchStore(harness.redis, harness.prefix).steer(id, "cancel");
    const worker = startWorker(harness, HEALTHY);
    await drive(harness, worker, id);
    const rows = await all(harness.batches.get(id).report());
    expect(rows.map(({ code }) => code)).toEqual(["Cancelled", "Cancelled", "Cancelled"]);
    expect(rows.filter(({ message = "" }) => !message.includes("both are kept"))).toEqual([]);
    expect(harness.sandbox.count(place.from)).toBe(3);
    worker.close();
  });
});
