import { setTimeout as sleep } from "node:timers/promises";
import { ActivityError } from "../../../model/activity-error.ts";
import type { BatchStatus } from "../../../producer/batches.ts";
import { startStack } from "../../stack.ts";
import type { BatchRun } from "./run.ts";
import { befall } from "./troubles.ts";
import { createCrew } from "./crew.ts";
import { layOut } from "./goods.ts";
import { judgeBatch } from "./judge.ts";
import { findLeftovers } from "./leftovers.ts";
import { createRandom } from "../random.ts";
import { type Figures, noFigures, type Scene } from "./scene.ts";

/** A run takes under a minute; on a machine that does other work too, it takes longer and is no failure for that. */
const ENDS_WITHIN_MS = 600_000;
/** Chunks at once in one worker: few, so that a run lasts long enough for its troubles. */
const CHUNKS = 2;

const ENV = {
  BUCKETLINE_ACTIVITIES: "batches",
  BUCKETLINE_CONCURRENCY: `batches=${CHUNKS}`,
  BUCKETLINE_MULTIPART_THRESHOLD: "5MiB",
  BUCKETLINE_COPY_PART_SIZE: "5MiB",
  BUCKETLINE_UPLOAD_PART_SIZE: "5MiB",
  BUCKETLINE_REQUEST_TIMEOUT: "3s",
  BUCKETLINE_COPY_TIMEOUT: "3s",
  BUCKETLINE_IDLE_TIMEOUT: "3s",
};

export type BatchResult = {
  readonly problems: readonly string[];
  readonly figures: Figures;
  readonly status: BatchStatus | undefined;
};

/** Moves the objects of one run through its troubles and tells what of our promises did not hold. */
export async function runBatch(run: BatchRun): Promise<BatchResult> {
  const conditions = {
    copySource: run.enforcing,
    copy: run.enforcing,
    delete: run.enforcing,
    multiDelete: run.enforcing,
  };
  await using stack = await startStack({
    sandbox: { latencyMs: run.latencyMs, logSize: 0, enforceConditions: { ...conditions, read: true, write: true } },
    profile: { conditionalCopy: run.enforcing, conditionalWrite: run.enforcing, conditionalDelete: run.enforcing },
    env: ENV,
  });
  const random = createRandom(run.seed);
  const goods = layOut(stack.sandbox, run, random.fork("goods"));
  const crew = createCrew(stack);
  await Promise.all(Array.from({ length: run.workers }, () => crew.hire()));
  const batch = await stack.producer.batches.start({
    operation: "move",
    source: { bucket: goods.from, prefix: goods.prefix },
    destination: {
      bucket: goods.to,
      prefix: goods.targetPrefix,
      ...(run.route === "stream" && { credentials: "other" }),
    },
    onConflict: run.onConflict,
  });
  const ended = new AbortController();
  const figures = noFigures();
  const scene: Scene = { run, stack, crew, goods, batch, figures, over: ended.signal, problems: [] };
  const troubles = befall(scene, random);
  let status: BatchStatus | undefined;
  try {
    status = await restOf(scene);
  } finally {
    ended.abort();
    await troubles;
  }
  if (crew.size === 0) await crew.hire();
  const problems = [...scene.problems, ...crew.crashes.map((words) => `a worker crashed: ${words}`)];
  if (status === undefined) problems.push(`the batch did not end: ${JSON.stringify(await batch.status())}`);
  else
    problems.push(
      ...judgeState(run, status),
      ...(await judgeBatch(scene, status)),
      ...(await findLeftovers(stack, batch.id)),
    );
  return { problems, figures, status };
}

/** Waits as an app does, which hears errors while Redis is down. `undefined`: it did not come to rest in time. */
async function restOf({ batch }: Scene): Promise<BatchStatus | undefined> {
  const signal = AbortSignal.timeout(ENDS_WITHIN_MS);
  for (;;) {
    try {
      return await batch.done({ signal });
    } catch (error) {
      if (signal.aborted) return undefined;
      if (!(error instanceof ActivityError)) throw error;
      if (error.code !== "RedisUnavailable") return await batch.status();
      await sleep(200);
    }
  }
}

function judgeState({ troubles }: BatchRun, { state, error }: BatchStatus): readonly string[] {
  // A cancel may come too late.
  const expected = troubles.includes("cancel") ? ["cancelled", "completed"] : ["completed"];
  return expected.includes(state) ? [] : [`the batch ended ${state}: ${error?.message ?? "without a reason"}`];
}
