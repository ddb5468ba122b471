import { setTimeout as delay } from "node:timers/promises";
import { styleText } from "node:util";
import type { BatchStatus, Producer } from "../../producer/index.ts";
import type { Sandbox } from "../../sandbox/index.ts";
import type { WorkerProcess } from "../processes/worker.ts";

export type BatchTour = {
  readonly producer: Producer;
  readonly sandbox: Sandbox;
  /** The worker that is killed in the middle. */
  readonly victim: WorkerProcess;
  /** True: a bar that moves; false: a line now and then. */
  readonly terminal: boolean;
};

const COUNT = 2000;
/** Slow enough to be watched, and to kill a worker in the middle. */
const OBJECTS_PER_SECOND = 500;
const KILL_AT = 0.4;
const BAR_WIDTH = 40;

/** Moves 2,000 objects between buckets, kills one of two workers in the middle, and compares the report with what is there. */
export async function runBatch({ producer, sandbox, victim, terminal }: BatchTour): Promise<boolean> {
  sandbox.createBucket("tour-many");
  for (let i = 0; i < COUNT; i++) sandbox.put("tour-many", `2026/${i % 4}/object-${i}.txt`, `content of ${i}`);
  console.log(
    styleText("bold", `\nA batch: ${COUNT.toLocaleString("en-US")} objects from tour-many to tour-out, by two workers`),
  );
  const batch = await producer.batches.start({
    operation: "move",
    source: { bucket: "tour-many", prefix: "2026/" },
    destination: { bucket: "tour-out", prefix: "moved/" },
    maxObjectsPerSecond: OBJECTS_PER_SECOND,
  });
  const killing = killInTheMiddle(sandbox, victim, terminal);
  let shown = -1;
  for await (const status of batch.progress()) {
    // Counts move when a chunk ends; the throughput knows of the objects in between.
    const ticked = (await batch.throughput()).reduce((sum, { objects }) => sum + objects, 0);
    const done = Math.min(COUNT, Math.max(ticked, status.succeeded + status.failed + status.skipped));
    const tenth = Math.floor((10 * done) / COUNT);
    if (terminal || tenth > shown) draw(status, done, terminal);
    shown = tenth;
  }
  await killing;
  if (terminal) console.log();
  return report(producer, sandbox, await batch.done());
}

/** As the store sees it: the worker dies with copies made whose sources are still there. */
async function killInTheMiddle(sandbox: Sandbox, victim: WorkerProcess, terminal: boolean): Promise<void> {
  const before = sandbox.counts.CopyObject ?? 0;
  while ((sandbox.counts.CopyObject ?? 0) - before < COUNT * KILL_AT) await delay(20);
  await victim.kill();
  const text = `  worker ${victim.pid} killed (kill -9); its chunk is taken over when its lock runs out`;
  console.log(`${terminal ? "\n" : ""}${styleText("yellow", text)}`);
}

function draw(status: BatchStatus, done: number, terminal: boolean): void {
  const filled = Math.round((BAR_WIDTH * done) / COUNT);
  const bar = `${"█".repeat(filled)}${"░".repeat(BAR_WIDTH - filled)}`;
  const text = `  ${bar} ${String(done).padStart(5)} of ${COUNT}, ${status.failed} failed, ${status.state}`;
  if (terminal) process.stdout.write(`\r${text.padEnd(100)}`);
  else console.log(text);
}

async function report(producer: Producer, sandbox: Sandbox, ended: BatchStatus): Promise<boolean> {
  const counts = new Map<string, number>();
  let right = 0;
  for await (const row of producer.batches.get(ended.id).report()) {
    counts.set(row.status, (counts.get(row.status) ?? 0) + 1);
    if (sandbox.text("tour-out", row.destinationKey ?? "") === `content of ${/\d+(?=\.txt)/.exec(row.key)?.[0]}`)
      right += 1;
  }
  const left = sandbox.keys("tour-many").length;
  const rows = [...counts].map(([status, count]) => `${count} ${status}`).join(", ");
  const { listed, succeeded, failed, skipped, unattempted } = ended;
  console.log(`  ${ended.state}: listed ${listed} = succeeded ${succeeded} + failed ${failed} + skipped ${skipped} + unattempted ${unattempted}
  report: ${rows}; at the destination with the right content: ${right}; left at the source: ${left}`);
  return ended.state === "completed" && succeeded === COUNT && right === COUNT && left === 0;
}
