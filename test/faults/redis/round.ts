import { setTimeout as sleep } from "node:timers/promises";
import type { BatchHandle, BatchStatus } from "../../../producer/batches.ts";
import type { Server } from "./server.ts";
import { until } from "./server.ts";
import { PREFIX, type Stage, type Trouble } from "./stage.ts";

export type Round = {
  /** What a promise was broken by. */
  readonly problems: readonly string[];
  readonly figures:
    | {
        readonly objects: number;
        readonly tookMs: number;
        readonly takenOverAfterMs: number;
        /** Since another server took over, by who works again. */
        readonly backAfterMs: Readonly<Record<string, number>>;
      }
    | undefined;
};

type Asked = { readonly trouble: Trouble; readonly objects: number; readonly name: string };

/** What must be there again after a new master is. */
const BACK_WITHIN_MS = 15_000;
const END_WITHIN_MS = 300_000;
const NEVER_MS = 90_000;
/** Producers that wait for a result in the meantime. */
const WAITING = 40;

/** A move of many objects; once a part of them is moved, the server that holds the queues is taken away. */
export async function runRound(stage: Stage, { trouble, objects, name }: Asked): Promise<Round> {
  const { group, sandbox, producer } = stage;
  const problems: string[] = [];
  const [source, destination] = [`in-${name}`, `out-${name}`];
  for (const bucket of [source, destination]) await sandbox.control.createBucket(bucket);
  await sandbox.control.generate(source, { count: objects, size: 64 });
  const startedAt = performance.now();
  const batch = await producer.batches.start({
    operation: "move",
    source: { bucket: source },
    destination: { bucket: destination },
    maxObjectsPerSecond: Math.max(200, Math.ceil(objects / 12)),
  });
  await until("a fifth is moved", async () => (await batch.status()).succeeded >= objects / 5, 60_000);
  const jobs = await producer.enqueueMany(
    "head-bucket",
    Array.from({ length: WAITING }, () => ({ bucket: source })),
    { delay: 2000 },
  );
  const answers = Promise.allSettled(jobs.map((job) => job.result({ timeout: END_WITHIN_MS })));
  const master = await group.master();
  const before = performance.now();
  let takenOverAfterMs = 0;
  let backAfterMs: Readonly<Record<string, number>> = {};
  let way = "";
  try {
    await cause(stage, trouble, master);
    await group.takenOver(master);
    takenOverAfterMs = performance.now() - before;
    ({ backAfterMs, way } = await allBack(stage, batch, source));
  } finally {
    if (trouble === "kill") await master.start();
    if (trouble === "freeze") master.thaw();
  }
  for (const [who, ms] of Object.entries(backAfterMs))
    if (ms > BACK_WITHIN_MS)
      problems.push(`${who} was back only ${Math.round(ms / 1000)} s after another server took over (${way})`);
  const status = await ended(batch);
  const tookMs = performance.now() - startedAt;
  problems.push(...(await judge(stage, batch, { status, source, destination, objects })));
  for (const answer of await answers)
    if (answer.status === "rejected") problems.push(`a producer that waited got no answer: ${String(answer.reason)}`);
  problems.push(...stage.crashes);
  await group.whole();
  return { problems: [...new Set(problems)], figures: { objects, tookMs, takenOverAfterMs, backAfterMs } };
}

async function cause({ group }: Stage, trouble: Trouble, master: Server): Promise<void> {
  if (trouble === "kill") await master.kill();
  if (trouble === "freeze") master.freeze();
  if (trouble === "demote") await group.demote();
  if (trouble === "migrate") await group.migrate?.();
}

/** How long each took to work again, in milliseconds, and the way of the producer's job. */
async function allBack(stage: Stage, batch: BatchHandle, bucket: string) {
  const since = performance.now();
  // Whoever does not come back at all is a problem of the round, beside those who did.
  const took = async (what: string, holds: () => Promise<boolean>) =>
    await until(what, holds, NEVER_MS).then(
      () => performance.now() - since,
      () => NEVER_MS,
    );
  let way = "the producer's job was not added";
  const first = await stage.sandbox.control.count(bucket);
  const [moving, producer, dashboard, ready] = await Promise.all([
    // The store is asked, because the batch's own figures may have gone back in time.
    took(
      "objects move",
      async () => (await stage.sandbox.control.count(bucket)) < first || first === 0 || isEnded(await batch.status()),
    ),
    took("a producer gets an answer", async () => {
      const job = await stage.producer.enqueue("head-bucket", { bucket });
      way = `the producer's job was added after ${Math.round(performance.now() - since)} ms`;
      await job.result({ timeout: 60_000 });
      way += `, answered after ${Math.round(performance.now() - since)} ms; ${await timesOf(stage, job.id)}`;
      return true;
    }),
    took("the dashboard answers", async () => (await get(`${stage.dashboardUrl}api/overview`)) === 200),
    took("workers are ready", async () => {
      const states = await Promise.all(stage.healthPorts.map((port) => get(`http://127.0.0.1:${port}/readyz`)));
      return states.every((status) => status === 200);
    }),
  ]);
  return { backAfterMs: { batch: moving, producer, dashboard, readyz: ready }, way };
}

/** When a job was added, begun and ended, by the clocks of who did it, and how often it was begun. */
async function timesOf({ group }: Stage, id: string): Promise<string> {
  const fields = ["timestamp", "processedOn", "finishedOn", "ats"];
  const values = await (await group.master()).cli("HMGET", `${PREFIX}:head-bucket:${id}`, ...fields);
  return `${fields.join(", ")}: ${values.split("\n").join(", ")}`;
}

async function get(url: string): Promise<number> {
  const response = await fetch(url, { signal: AbortSignal.timeout(3000) });
  await response.body?.cancel();
  return response.status;
}

const isEnded = ({ state }: BatchStatus) => ["completed", "failed", "cancelled"].includes(state);

async function ended(batch: BatchHandle): Promise<BatchStatus> {
  const deadline = performance.now() + END_WITHIN_MS;
  for (;;) {
    const status = await batch.status();
    if (isEnded(status) || performance.now() > deadline) return status;
    await sleep(250);
  }
}

async function judge(
  { sandbox }: Stage,
  batch: BatchHandle,
  found: { status: BatchStatus; source: string; destination: string; objects: number },
): Promise<string[]> {
  const { status, source, destination, objects } = found;
  const [left, arrived] = await Promise.all([sandbox.control.count(source), sandbox.control.count(destination)]);
  const keys = new Set<string>();
  let rows = 0;
  const notDone = new Map<string, number>();
  for await (const row of batch.report()) {
    rows++;
    keys.add(row.key);
    if (row.status !== "succeeded") notDone.set(row.code ?? row.status, (notDone.get(row.code ?? row.status) ?? 0) + 1);
  }
  const facts = {
    state: status.state,
    listed: status.listed,
    succeeded: status.succeeded,
    rows,
    keys: keys.size,
    left,
    arrived,
  };
  const exact = {
    state: "completed",
    listed: objects,
    succeeded: objects,
    rows: objects,
    keys: objects,
    left: 0,
    arrived: objects,
  };
  if (JSON.stringify(facts) === JSON.stringify(exact)) return [];
  return [`the accounts are not exact: ${JSON.stringify(facts)} ${JSON.stringify([...notDone])}`];
}
