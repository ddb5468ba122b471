import { expect, test, vi } from "vitest";
import { ActivityError } from "../../model/activity-error.ts";
import { followed, inlineList, rejection, setUp, startWorker } from "../protocol-worker.fixture.ts";

const input = { bucket: "in-1" };

test.each([
  ["waiting", {}, "waiting"],
  ["delayed", { delay: 60_000 }, "delayed"],
  ["prioritized", { priority: 5 }, "waiting"],
] as const)("a %s job is removed, and whoever waits for it is told at once", async (_name, options, state) => {
  const { producer, client, prefix } = setUp();
  const job = await producer.enqueue("list-objects", input, options);
  expect(await job.state()).toBe(state);
  const waiting = rejection(job.result({ timeout: 10_000 }));
  await followed({ client, prefix });

  const started = performance.now();
  expect(await job.cancel()).toBe(true);
  expect(await waiting).toBe("Cancelled");
  expect(performance.now() - started).toBeLessThan(2000);
  expect(await client.exists(`${prefix}:list-objects:${job.id}`)).toBe(0);
  expect(await job.state()).toBe("cancelled");
  expect(await job.succeeded()).toBe(false);
  expect(await job.cancel()).toBe(true);
});

test("a running job is stopped in its worker, from another process's producer", async () => {
  const bench = setUp();
  const other = setUp({ prefix: bench.prefix });
  const started = Promise.withResolvers<void>();
  await startWorker(bench, "list-objects", async (_job, signal) => {
    started.resolve();
    const { promise, reject } = Promise.withResolvers<never>();
    signal.addEventListener("abort", () => reject(new ActivityError("Cancelled", "list-objects job was cancelled")));
    return await promise;
  });
  const job = await bench.producer.enqueue("list-objects", input);
  await started.promise;
  expect(await job.state()).toBe("active");
  expect(await other.producer.job("list-objects", job.id).cancel()).toBe(true);
  await expect(job.result({ timeout: 10_000 })).rejects.toMatchObject({
    code: "Cancelled",
    message: "Cancelled: list-objects job was cancelled",
  });
  expect(await job.state()).toBe("cancelled");
});

test("a running job that gets to its end first keeps its result", async () => {
  const bench = setUp();
  const started = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  await startWorker(bench, "list-objects", async () => {
    started.resolve();
    await finish.promise;
    return inlineList("a");
  });
  const job = await bench.producer.enqueue("list-objects", input);
  await started.promise;
  expect(await job.cancel()).toBe(true);
  finish.resolve();
  expect(await job.result({ timeout: 10_000 })).toMatchObject({ count: 1 });
  expect(await job.state()).toBe("completed");
  // Once it is cleaned up nothing may say that it was cancelled: it was not.
  await bench.client.del(bench.keys.job("list-objects", job.id));
  expect(await job.state()).toBe("expired");
});

test.each([
  ["completed", async () => inlineList("a")],
  [
    "failed",
    async () => {
      throw new ActivityError("NoSuchBucket", "no bucket in-1");
    },
  ],
])("a %s job cannot be cancelled, and no flag is left", async (state, run) => {
  const bench = setUp();
  await startWorker(bench, "list-objects", run);
  const job = await bench.producer.enqueue("list-objects", input);
  await job.succeeded({ timeout: 10_000 });
  expect(await job.cancel()).toBe(false);
  expect(await job.state()).toBe(state);
  expect(await bench.client.exists(bench.keys.cancelled("list-objects", job.id))).toBe(0);
});

test("a job that is not there cannot be cancelled, and no flag is left", async () => {
  const { producer, client, keys } = setUp();
  const job = producer.job("list-objects", "no-such-job");
  expect(await job.cancel()).toBe(false);
  expect(await client.exists(keys.cancelled("list-objects", "no-such-job"))).toBe(0);
  expect(await job.state()).toBe("expired");
});

test("the next job of a schedule stays, and is not run when its time comes", async () => {
  const bench = setUp();
  let runs = 0;
  const { next } = await bench.producer.schedule("often", { every: "1s" }, "list-objects", input);
  const job = bench.producer.job("list-objects", `repeat:often:${next.getTime()}`);
  expect(await job.cancel()).toBe(true);
  expect(await job.state()).toBe("cancelled");
  await startWorker(bench, "list-objects", async ({ id }) => {
    if (id === job.id) runs += 1;
    return inlineList();
  });
  await vi.waitFor(
    async () => expect(await bench.client.hexists(bench.keys.job("list-objects", job.id), "finishedOn")).toBe(1),
    5000,
  );
  expect(runs).toBe(0);
  expect(await job.state()).toBe("cancelled");
});

test("the flag of a job that cannot be removed outlives its delay", async () => {
  const { producer, client, keys } = setUp();
  const { next } = await producer.schedule("yearly", { every: "300d" }, "list-objects", input);
  // The first job of an interval is due at once; the next one is made when a worker takes it.
  const id = `repeat:yearly:${next.getTime()}`;
  const due = { timestamp: Date.now(), delay: 300 * 86_400_000, name: "list-objects", data: "{}", rjk: "yearly" };
  await client.hset(keys.job("list-objects", id), due);
  expect(await producer.job("list-objects", id).cancel()).toBe(true);
  expect(await client.ttl(keys.cancelled("list-objects", id))).toBeGreaterThan(300 * 86_400);
});
