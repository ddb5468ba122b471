import { setTimeout as delay } from "node:timers/promises";
import { ActivityError } from "../../jobs/activity-error.ts";
import type { Stack } from "../stack.ts";
import type { WorkerProcess } from "../../cli/worker-process.ts";
import type { MoveCase } from "./move-cases.ts";

const MIB = 1024 * 1024;
/** Above the threshold of the campaign's profiles (5 MiB) and in two parts. */
const LARGE = Buffer.alloc(6 * MIB, "older content ");
const SMALL = Buffer.from("older content");
const NEWER = "newer content, not ours";

/** A worker that died is found out after at most 40 s; then the job runs again, with its own retries. */
const ENDS_WITHIN_MS = 150_000;

export type CaseResult = { readonly problems: readonly string[]; readonly outcome: string; readonly struck: boolean };

/** Runs one move through its trouble and tells what of our promises did not hold. */
export async function runMoveCase(stack: Stack, one: MoveCase, index: number): Promise<CaseResult> {
  const { sandbox, producer } = stack;
  const bucket = `case-${index}`;
  sandbox.createBucket(bucket, { versioning: one.versioned });
  const older = one.multipart ? LARGE : SMALL;
  sandbox.put(bucket, "source", older, { metadata: { by: "them" }, tags: { of: "theirs" } });
  const trouble = await plant(stack, one, bucket);
  const job = await producer.enqueue(
    "move-object",
    {
      object: { bucket, key: "source" },
      destination: { bucket, key: "copy", ...(one.route === "stream" && { credentials: "other" }) },
    },
    { attempts: 4 },
  );
  const outcome = await job.result({ timeout: ENDS_WITHIN_MS }).then(
    () => "success",
    (error: unknown) => (error instanceof ActivityError ? error.code : String(error)),
  );
  await trouble.end();
  const overwritten = one.trouble.kind === "overwrite" && trouble.struck();
  const problems = judge(stack, { one, bucket, older, outcome, overwritten });
  for (const key of ["source", "copy"]) sandbox.delete(bucket, key);
  return { problems, outcome, struck: trouble.struck() };
}

type Planted = { readonly struck: () => boolean; readonly end: () => Promise<void> };

async function plant(stack: Stack, one: MoveCase, bucket: string): Promise<Planted> {
  const { sandbox } = stack;
  const { trouble, operation } = one;
  if (trouble.kind === "fault") {
    const fault = sandbox.fault({ ...trouble.fault, operation, bucket });
    return { struck: () => fault.hits > 0, end: async () => fault.remove() };
  }
  let struck = false;
  const workers: WorkerProcess[] = [];
  const strike = async () => {
    if (trouble.kind === "overwrite") sandbox.put(bucket, "source", NEWER);
    else await Promise.all(workers.map((worker) => worker.kill()));
  };
  const remove = sandbox[trouble.when](operation, async (call) => {
    if (struck || call.bucket !== bucket) return;
    struck = true;
    await strike();
    // The successor is there before the lock of the dead one runs out.
    if (trouble.kind === "kill") workers.push(await stack.startWorker());
  });
  if (trouble.kind === "kill") workers.push(await stack.startWorker());
  return {
    struck: () => struck,
    end: async () => {
      remove();
      // The answer of the killed call may still be on its way to nobody.
      await delay(0);
      await Promise.all(workers.map((worker) => worker.kill()));
    },
  };
}

type Facts = {
  readonly one: MoveCase;
  readonly bucket: string;
  readonly older: Buffer;
  readonly outcome: string;
  readonly overwritten: boolean;
};

function judge({ sandbox }: Stack, { one, bucket, older, outcome, overwritten }: Facts): readonly string[] {
  const source = sandbox.bytes(bucket, "source");
  const copy = sandbox.bytes(bucket, "copy");
  const isOlder = (bytes: Uint8Array | undefined) => bytes !== undefined && Buffer.compare(bytes, older) === 0;
  const isNewer = (bytes: Uint8Array | undefined) => bytes !== undefined && Buffer.from(bytes).toString() === NEWER;
  // Overwritten before the first look, the newer content is what the move pins.
  const newerPinned =
    overwritten && one.operation === "HeadObject" && one.trouble.kind === "overwrite" && one.trouble.when === "before";
  const isPinned = newerPinned ? isNewer : isOlder;
  const problems: string[] = [];
  const demand = (holds: boolean, problem: string) => {
    if (!holds) problems.push(problem);
  };
  demand(outcome !== "WaitTimeout", "the job did not end");
  demand(
    !overwritten || isNewer(source) || (newerPinned && isNewer(copy)),
    "what somebody else wrote to the source is gone",
  );
  demand(overwritten || isOlder(source) || isOlder(copy), "the content is at neither end");
  if (outcome === "success") {
    demand(isPinned(copy), "success was reported without the content at the destination");
    demand(!isPinned(source), "success was reported with the source still there");
    const view = sandbox.object(bucket, "copy");
    const complete = view?.metadata["by"] === "them" && view.tags["of"] === "theirs";
    demand(newerPinned || complete, "the copy lacks the metadata or the tags");
  }
  demand(sandbox.uploads(bucket).length === 0 || idNeverArrived(one), "a multipart upload was left open");
  return problems;
}

/** An upload whose id was lost with the answer cannot be told from anybody else's; a lifecycle rule of the bucket ends those. */
const idNeverArrived = ({ operation }: MoveCase): boolean => operation === "CreateMultipartUpload";
