import { expect, onTestFinished, test } from "vitest";
import { migrateSlot } from "../faults/redis/groups.ts";
import { ask } from "../faults/redis/server.ts";
import { redisUrl } from "../fixtures.ts";
import { startHarness } from "../harness.ts";

/** The nodes that the cluster says it has. */
async function nodes() {
  const first = Number(/:(\d+)/.exec(redisUrl())?.[1]);
  const told = await ask(first, ["CLUSTER", "NODES"]);
  const ports = [...told.matchAll(/:(\d+)@/g)].map(([, port]) => Number(port));
  return ports.map((port) => ({ port, cli: (...args: (string | number)[]) => ask(port, args) }));
}

test("a batch and those who wait outlive that their slot moves to another node, with nothing lost or counted twice", async () => {
  const harness = await startHarness();
  onTestFinished(() => harness.close());
  const { sandbox, producer, prefix } = harness;
  for (const bucket of ["in", "out"]) sandbox.createBucket(bucket);
  for (let n = 0; n < 600; n++) sandbox.put("in", `k${n}`, "content");
  const batch = await producer.batches.start({
    operation: "move",
    source: { bucket: "in" },
    destination: { bucket: "out" },
    maxObjectsPerSecond: 150,
  });
  const waiting = await producer.enqueueMany("head-bucket", [{ bucket: "in" }, { bucket: "out" }], { delay: 500 });
  const answers = Promise.all(waiting.map((job) => job.result({ timeout: 40_000 })));
  const all = await nodes();
  const slot = Number(await all[0]?.cli("CLUSTER", "KEYSLOT", prefix));
  await migrateSlot(all, slot);
  await producer.run("head-bucket", { bucket: "in" }, { timeout: 40_000 });
  await migrateSlot(all, slot);
  expect(await answers).toHaveLength(2);
  expect(await batch.done()).toMatchObject({ state: "completed", listed: 600, succeeded: 600 });
  expect([sandbox.count("in"), sandbox.count("out")]).toEqual([0, 600]);
}, 120_000);

test("the address of any one node leads to the whole cluster, and a prefix without braces is refused with what to set", async () => {
  for (const { port } of await nodes()) {
    const redis = `redis://127.0.0.1:${port}`;
    const harness = await startHarness({ redis });
    harness.sandbox.createBucket("in");
    expect(await harness.run("head-bucket", { bucket: "in" })).toMatchObject({ bucket: { name: "in" } });
    await harness.close();
    await expect(startHarness({ redis, prefix: "bare" })).rejects.toThrow(/expected one in braces.*\{bare\}/);
  }
}, 120_000);
