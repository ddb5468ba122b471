import { Redis } from "ioredis";
import { expect, onTestFinished, test, vi } from "vitest";
import { startReplicated } from "../test/redis-replica.ts";
import { createReplicaWait } from "./replica-wait.ts";

const never = new AbortController().signal;
const proof = { key: "proof", fields: { o: "1.1", g: "3" } };

async function opened() {
  const group = await startReplicated();
  const redis = new Redis(group.master.url);
  const onTrouble = vi.fn<(error: unknown) => void>();
  const replicas = createReplicaWait(redis, { replicas: 1, onTrouble });
  onTestFinished(() => {
    replicas.close();
    redis.disconnect();
  });
  await redis.hset(proof.key, proof.fields);
  return { ...group, redis, replicas, onTrouble };
}

test("what was written survives once a replica has it, and not before", async () => {
  const { redis, replicas, onTrouble, freeze, thaw } = await opened();
  await replicas.survives(proof, { signal: never });
  freeze();
  await redis.hset(proof.key, "g", "4");
  const settled = vi.fn<() => void>();
  const waiting = replicas.survives({ ...proof, fields: { o: "1.1", g: "4" } }, { signal: never }).then(settled);
  await vi.waitFor(() => expect(onTrouble).toHaveBeenCalled(), 20_000);
  expect(onTrouble.mock.lastCall?.[0]).toMatchObject({ code: "ReplicasMissing" });
  expect(settled).not.toHaveBeenCalled();
  thaw();
  await waiting;
});

test("a wait for replicas ends with its signal, and those beside it go on", async () => {
  const { replicas, freeze, thaw, onTrouble } = await opened();
  freeze();
  const controller = new AbortController();
  const given = replicas.survives(proof, { signal: controller.signal });
  const other = replicas.survives(proof, { signal: never });
  await vi.waitFor(() => expect(onTrouble).toHaveBeenCalled(), 20_000);
  controller.abort(new Error("cancelled"));
  await expect(given).rejects.toThrow("cancelled");
  thaw();
  await other;
});

test("a proof that Redis does not have any more is told from one that it has", async () => {
  const { redis, replicas } = await opened();
  await redis.hset(proof.key, "o", "another worker's");
  await expect(replicas.survives(proof, { signal: never })).rejects.toMatchObject({
    code: "ProofForgotten",
    retryable: true,
  });
  await redis.del(proof.key);
  await expect(replicas.survives(proof, { signal: never })).rejects.toMatchObject({ code: "ProofForgotten" });
});

test("a master that goes in mid wait is waited for, and asked anew from the beginning", async () => {
  const { replicas, master, replica, freeze, thaw, onTrouble } = await opened();
  freeze();
  const waiting = replicas.survives(proof, { signal: never });
  await vi.waitFor(() => expect(onTrouble).toHaveBeenCalled(), 20_000);
  await master.restart();
  thaw();
  // It came back without anything, as this one keeps nothing on disk: a WAIT alone would have been content with that.
  await expect(waiting).rejects.toMatchObject({ code: "ProofForgotten" });
  expect(replica.pid).toBeDefined();
});
