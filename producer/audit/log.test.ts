import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { redisUrl, uniquePrefix } from "../../test/fixtures.ts";
import { redisKeys } from "../../redis/keys.ts";
import { createProducer, type Producer } from "../index.ts";
import { AUDIT_LENGTH } from "./entry.ts";
import { actsOn, listActs, writeAct } from "./log.ts";

let redis: Redis;
const opened: Producer[] = [];
beforeAll(() => {
  redis = new Redis(redisUrl());
});
afterAll(async () => {
  await Promise.all(opened.map((producer) => producer.close()));
  redis.disconnect();
});

function producerOf(actor?: Parameters<typeof createProducer>[0]["actor"]) {
  const prefix = uniquePrefix();
  const producer = createProducer({ redis: redisUrl(), prefix, actor });
  opened.push(producer);
  return { producer, keys: redisKeys(prefix) };
}
const all = async (keys: ReturnType<typeof redisKeys>) => (await listActs(redis, keys, { limit: 100 })).entries;

describe("the record of acts", () => {
  test("says who cancelled which job, when and why, and who added it", async () => {
    const { producer, keys } = producerOf("billing");
    const job = await producer.enqueue("list-buckets", {});
    expect(await actsOn(redis, keys, { kind: "job", activity: "list-buckets", id: job.id })).toMatchObject([
      { action: "job.add", actor: "billing" },
    ]);
    await job.cancel({ reason: "asked for by\r\nthe customer" });
    const entries = await all(keys);
    expect(entries).toMatchObject([
      { action: "job.cancel", actor: "billing", via: "app", reason: "asked for by the customer" },
      { action: "job.add", actor: "billing" },
    ]);
    expect(entries[0]?.target).toEqual({ kind: "job", activity: "list-buckets", id: job.id });
    expect(Math.abs(Date.parse(entries[0]?.at ?? "") - Date.now())).toBeLessThan(60_000);
  });

  test("has no jobs of an app that gave no name, but its cancels, under the name of its machine", async () => {
    const { producer, keys } = producerOf();
    const job = await producer.enqueue("list-buckets", {});
    expect(await all(keys)).toEqual([]);
    expect(await job.cancel()).toBe(true);
    expect(await job.cancel({ reason: "again" })).toBe(true);
    expect(await all(keys)).toMatchObject([{ reason: "again" }, { actor: expect.stringMatching(/^app on /) }]);
  });

  test("has nothing of what did not happen, and nothing of a producer that is told to keep none", async () => {
    const { producer, keys } = producerOf("billing");
    expect(await producer.job("list-buckets", "never").cancel()).toBe(false);
    await expect(producer.batches.get(`b${"0".repeat(20)}`).cancel()).rejects.toThrow("BatchNotFound");
    expect(await producer.schedules.remove("never")).toBe(false);
    expect(await all(keys)).toEqual([]);
    const silent = producerOf(false);
    await (await silent.producer.enqueue("list-buckets", {})).cancel();
    expect(await all(silent.keys)).toEqual([]);
  });

  test("tells a batch's story: started, paused, resumed, cancelled", async () => {
    const { producer, keys } = producerOf({ name: "ada@laptop", via: "cli", reason: "rehearsal" });
    const batch = await producer.batches.start({ operation: "delete", source: { bucket: "in1", prefix: "old/" } });
    await batch.pause();
    await batch.resume();
    await producer.batches.get(batch.id).cancel({ reason: "the wrong prefix" });
    const acts = await actsOn(redis, keys, { kind: "batch", id: batch.id });
    expect(acts.map(({ action, actor, via, reason }) => [action, actor, via, reason])).toEqual([
      ["batch.start", "ada@laptop", "cli", "rehearsal"],
      ["batch.pause", "ada@laptop", "cli", "rehearsal"],
      ["batch.resume", "ada@laptop", "cli", "rehearsal"],
      ["batch.cancel", "ada@laptop", "cli", "the wrong prefix"],
    ]);
    expect(acts[0]?.detail).toBe("delete s3://in1/old/");
  });

  test("has schedules that were made and removed", async () => {
    const { producer, keys } = producerOf("ops");
    await producer.schedule("nightly", { every: 3_600_000 }, "list-buckets", {});
    await producer.schedules.remove("nightly", { reason: "moved to batches" });
    expect(await actsOn(redis, keys, { kind: "schedule", id: "nightly" })).toMatchObject([
      { action: "schedule.put", detail: "list-buckets" },
      { action: "schedule.remove", reason: "moved to batches" },
    ]);
  });

  test("is of bounded length, and a flood of jobs pushes nothing else out", async () => {
    const { keys } = producerOf();
    const act = { actor: "a", known: "app", via: "app" };
    await writeAct(redis, keys, { ...act, action: "batch.cancel", target: { kind: "batch", id: "b1" } });
    const added = Array.from({ length: AUDIT_LENGTH + 500 }, (_, index) =>
      writeAct(redis, keys, {
        ...act,
        action: "job.add",
        target: { kind: "job", activity: "list-buckets", id: `j${index}` },
      }),
    );
    await Promise.all(added);
    expect(await redis.xlen(keys.auditAdded())).toBeLessThan(AUDIT_LENGTH + 200);
    const page = await listActs(redis, keys, { limit: 5, action: "batch" });
    expect(page.entries).toMatchObject([{ action: "batch.cancel" }]);
  });

  test("is read page by page, newest first, of both logs, and leaves out what a foreign hand wrote", async () => {
    const { keys } = producerOf();
    const act = { actor: "a", known: "app", via: "app" };
    // Sent together, so that several fall in one millisecond.
    const actions = ["batch.start", "job.add", "batch.pause", "job.add", "batch.cancel"];
    await Promise.all(actions.map((action, index) => writeAct(redis, keys, { ...act, action, detail: String(index) })));
    await redis.xadd(keys.audit(), "*", "entry", "no JSON");
    await redis.xadd(keys.audit(), "*", "entry", '{"__proto__":{"actor":1},"action":7}');
    const first = await listActs(redis, keys, { limit: 2 });
    expect(first.entries.map(({ detail }) => detail)).toEqual(["4", "3"]);
    const rest = await listActs(redis, keys, { limit: 10, cursor: first.next });
    expect(rest.entries.map(({ detail }) => detail)).toEqual(["2", "1", "0"]);
    expect(rest.next).toBeUndefined();
    expect(await listActs(redis, keys, { limit: 10, cursor: "000-0" })).toEqual({ entries: [] });
    expect((await listActs(redis, keys, { limit: 10, actor: "nobody" })).entries).toEqual([]);
  });
});
