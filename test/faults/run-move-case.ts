import { ActivityError } from "../../jobs/activity-error.ts";
import type { Sandbox } from "../../sandbox/index.ts";
import type { Stack } from "../stack.ts";
import type { MoveCase } from "./move-cases.ts";
import { judgeMove } from "./judge-move.ts";
import { plant } from "./plant.ts";

const MIB = 1024 * 1024;
/** Above the threshold of the campaign's profiles (5 MiB) and in two parts. */
const LARGE = Buffer.alloc(6 * MIB, "older content ");
const SMALL = Buffer.from("older content");

/** Its own retries, with their waits between them. */
const ENDS_WITHIN_MS = 150_000;

export type CaseResult = { readonly problems: readonly string[]; readonly outcome: string; readonly struck: boolean };

/** Where a case takes place. */
export type Scene = {
  readonly stack: Stack;
  readonly one: MoveCase;
  readonly bucket: string;
  /** Where the copy goes: another sandbox where the route is `across`. */
  readonly target: Sandbox;
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
  const outcome = await job.result({ timeout: ENDS_WITHIN_MS }).then(
    () => "success",
    (error: unknown) => (error instanceof ActivityError ? error.code : String(error)),
  );
  await trouble.end();
  const overwritten = one.trouble.kind === "overwrite" && trouble.struck();
  const problems = judgeMove(scene, { older, outcome, overwritten });
  sandbox.delete(bucket, "source");
  target.delete(bucket, "copy");
  return { problems, outcome, struck: trouble.struck() };
}
