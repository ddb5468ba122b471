import { setTimeout as sleep } from "node:timers/promises";
import { ActivityError } from "../../../model/activity-error.ts";
import type { Stack } from "../../stack.ts";
import type { MoveCase } from "./cases.ts";
import { idNeverArrived, judgeMove } from "./judge.ts";
import type { Scene } from "./scene.ts";
import { plant } from "./plant.ts";

const MIB = 1024 * 1024;
/** Above the threshold of the campaign's profiles (5 MiB) and in two parts. */
const LARGE = Buffer.alloc(6 * MIB, "older content ");
const SMALL = Buffer.from("older content");

/** Its own retries, with their waits between them. */
const ENDS_WITHIN_MS = 150_000;
/** A run that lost its job to another one may still be taking its upload away when that one has ended. */
const CLEAN_WITHIN_MS = 10_000;

export type CaseResult = {
  readonly problems: readonly string[];
  /** `success`, or the code that the job failed with, and what it said. */
  readonly outcome: string;
  readonly said: string;
  readonly struck: boolean;
};

/** Runs one move through its trouble and tells what of our promises did not hold. */
export async function runMoveCase(stack: Stack, one: MoveCase, index: number): Promise<CaseResult> {
  const { sandbox, producer } = stack;
  const bucket = `case-${index}`;
  const target = one.route === "across" ? stack.elsewhere : sandbox;
  for (const end of new Set([sandbox, target])) end.createBucket(bucket, { versioning: one.versioned });
  const older = one.multipart ? LARGE : SMALL;
  sandbox.put(bucket, "source", older, { metadata: { by: "them" }, tags: { of: "theirs" } });
  const scene: Scene = { stack, one, bucket, target };
  const jobId = Promise.withResolvers<string>();
  const trouble = await plant(scene, jobId.promise);
  const credentials = { copy: undefined, stream: "other", across: "elsewhere" }[one.route];
  const job = await producer.enqueue(
    "move-object",
    {
      object: { bucket, key: "source" },
      destination: { bucket, key: "copy", ...(credentials !== undefined && { credentials }) },
    },
    { attempts: 4 },
  );
  jobId.resolve(job.id);
  const { outcome, said } = await job.result({ timeout: ENDS_WITHIN_MS }).then(
    () => ({ outcome: "success", said: "success" }),
    (error: unknown) => {
      const words = error instanceof Error ? error.message : String(error);
      return { outcome: error instanceof ActivityError ? error.code : words, said: words };
    },
  );
  await trouble.end();
  if (one.multipart && !idNeverArrived(one)) await until(() => target.uploads(bucket).length === 0, CLEAN_WITHIN_MS);
  const overwritten = one.trouble.kind === "overwrite" && trouble.struck();
  const problems = judgeMove(scene, { older, outcome, overwritten });
  sandbox.delete(bucket, "source");
  target.delete(bucket, "copy");
  return { problems, outcome, said, struck: trouble.struck() };
}

async function until(holds: () => boolean, withinMs: number): Promise<void> {
  for (const deadline = Date.now() + withinMs; !holds() && Date.now() < deadline;) await sleep(20);
}
