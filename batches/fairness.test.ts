import { expect, test, vi } from "vitest";
import { startBatchHarness } from "../test/batch-harness.ts";
import { CHUNK_QUEUE } from "../jobs/queues.ts";
import { redisKeys } from "../redis/keys.ts";
import { chunkJobId, fairPriority, wantedBatchJobs } from "./state/queue.ts";

const LIMITED = 50;

test("50 batches that are held to a rate and one with open chunks share four places: each moves within seconds", async () => {
  const own = await startBatchHarness({ workers: 0 });
  const { sandbox, batches } = own;
  for (const name of ["big", "small", "out"]) sandbox.createBucket(name);
  sandbox.generate("big", { count: 6000 });
  for (let i = 0; i < 40; i++) sandbox.put("small", `k${i}`, "x");
  // Some 30 s of work at one place: it cannot be through before the others come.
  sandbox.fault({ operation: "CopyObject", bucket: "out", key: /^big\//, kind: "latency", delayMs: 300 });
  own.addWorker({ concurrency: 4 });
  const big = await batches.start({
    operation: "copy",
    source: { bucket: "big" },
    destination: { bucket: "out", prefix: "big/" },
  });
  await vi.waitFor(async () => expect((await big.status()).listed).toBeGreaterThan(2000), {
    timeout: 30_000,
    interval: 50,
  });
  const limited = await Promise.all(
    Array.from({ length: LIMITED }, (_, i) =>
      batches.start({
        operation: "copy",
        source: { items: Array.from({ length: 40 }, (__, k) => ({ bucket: "small", key: `k${k}` })) },
        destination: { bucket: "out", prefix: `small/${i}/` },
        maxObjectsPerSecond: 2,
      }),
    ),
  );
  const done = async (batch: (typeof limited)[number]) => (await batch.status()).succeeded;
  const moved = async (than: readonly number[], by: number) => {
    const now = await Promise.all([big, ...limited].map(done));
    expect(now.filter((count, at) => count < (than[at] ?? 0) + by)).toEqual([]);
    return now;
  };
  // Everybody has begun, and goes on: twice, so that nobody had a turn only because it was new.
  const soon = { timeout: 40_000, interval: 500 }; // some 3 s on an idle machine; with turns of five seconds it would be 70 s
  const once = await vi.waitFor(() => moved([], 1), soon);
  await vi.waitFor(() => moved(once, 1), soon);
  await own.close();
}, 120_000);

test("a chunk that had a turn comes back behind all who wait, however it was taken first", async () => {
  const own = await startBatchHarness({ workers: 0 });
  const { sandbox, batches, redis, prefix } = own;
  for (const name of ["small", "out"]) sandbox.createBucket(name);
  own.addWorker({ concurrency: 1 });
  const started = await Promise.all(
    Array.from({ length: 3 }, (_, i) => {
      const items = Array.from({ length: 40 }, (__, k) => ({ bucket: "small", key: `k${k}` }));
      for (const { key } of items) sandbox.put("small", key, "x");
      return batches.start({
        operation: "copy",
        source: { items },
        destination: { bucket: "out", prefix: `turns/${i}/` },
        maxObjectsPerSecond: 2,
      });
    }),
  );
  const priorityOf = async ({ id }: (typeof started)[number]) => {
    const [status, priority] = await Promise.all([
      batches.get(id).status(),
      redis.hget(redisKeys(prefix).job(CHUNK_QUEUE, chunkJobId(id, "0-0")), "priority"),
    ]);
    return { begun: status.succeeded > 0, priority: Number(priority) };
  };
  const behind = { begun: true, priority: fairPriority((await started[0]?.status())?.priority ?? 0, false) };
  await vi.waitFor(async () => expect(await Promise.all(started.map(priorityOf))).toEqual([behind, behind, behind]), {
    timeout: 30_000,
    interval: 50,
  });
  await own.close();
}, 60_000);

test("a batch goes before others once, with its first chunk", () => {
  const wanted = { state: "running", opened: true, priority: 7, feed: false, chunks: [], nexts: [] } as const;
  const prioritiesOf = (nexts: readonly { chain: number; n: number }[], chunks: readonly string[] = []) =>
    wantedBatchJobs("b", { ...wanted, nexts, chunks }).map(({ priority }) => priority);
  const [first, further] = [fairPriority(7, true), fairPriority(7, false)];
  expect(
    prioritiesOf([
      { chain: 0, n: 0 },
      { chain: 1, n: 0 },
    ]),
  ).toEqual([first, further]);
  // A filter that takes nothing leaves no chunk open, however far the listing is.
  expect(prioritiesOf([{ chain: 0, n: 500 }])).toEqual([further]);
  expect(prioritiesOf([], ["0-3"])).toEqual([further]);
});
