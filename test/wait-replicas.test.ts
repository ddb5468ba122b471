import { Redis } from "ioredis";
import { expect, onTestFinished, test, vi } from "vitest";
import { startHarness } from "./harness.ts";
import { startReplicated } from "./redis-replica.ts";

async function opened() {
  const group = await startReplicated();
  const harness = await startHarness({ redis: group.master.url, env: { BUCKETLINE_REDIS_WAIT_REPLICAS: "1" } });
  onTestFinished(async () => {
    group.thaw();
    await harness.close();
  });
  const { sandbox } = harness;
  sandbox.createBucket("from");
  sandbox.createBucket("to");
  return { ...group, ...harness };
}

test("a move deletes its source once a replica has the proof of its copy, and keeps it until then", async () => {
  const { sandbox, run, master, freeze, thaw } = await opened();
  sandbox.put("from", "a", "content");
  freeze();
  const moving = run("move-object", { object: { bucket: "from", key: "a" }, destination: { bucket: "to" } });
  const redis = new Redis(master.url);
  onTestFinished(() => redis.disconnect());
  // It asks for its proof to be there, and waits.
  await vi.waitFor(async () => expect(await redis.client("LIST")).toMatch(/ cmd=wait /), 20_000);
  expect([sandbox.text("to", "a"), sandbox.text("from", "a")]).toEqual(["content", "content"]);
  thaw();
  await moving;
  expect(sandbox.counts.DeleteObject).toBe(1);
  expect(sandbox.keys("from")).toEqual([]);
});

test("a batch deletes no source before a replica has the proofs, says so, and goes on", async () => {
  const { sandbox, producer, freeze, thaw } = await opened();
  for (let n = 0; n < 50; n++) sandbox.put("from", `k${n}`, "content");
  freeze();
  const batch = await producer.batches.start({
    operation: "move",
    source: { bucket: "from" },
    destination: { bucket: "to" },
  });
  await vi.waitFor(() => expect(sandbox.keys("to")).toHaveLength(50), 30_000);
  await vi.waitFor(async () => expect((await batch.status()).trouble?.code).toBe("ReplicasMissing"), 30_000);
  expect(sandbox.keys("from")).toHaveLength(50);
  thaw();
  expect(await batch.done()).toMatchObject({ state: "completed", succeeded: 50 });
  expect(sandbox.keys("from")).toEqual([]);
}, 120_000);

test("a batch that is cancelled while it waits for replicas has deleted nothing", async () => {
  const { sandbox, producer, freeze, thaw } = await opened();
  sandbox.put("from", "a", "content");
  freeze();
  const batch = await producer.batches.start({
    operation: "move",
    source: { bucket: "from" },
    destination: { bucket: "to" },
  });
  await vi.waitFor(() => expect(sandbox.keys("to")).toEqual(["a"]), 30_000);
  await batch.cancel();
  expect(await batch.done()).toMatchObject({ state: "cancelled", succeeded: 0 });
  thaw();
  expect(sandbox.keys("from")).toEqual(["a"]);
}, 90_000);
