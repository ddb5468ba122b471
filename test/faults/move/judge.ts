import type { MoveCase } from "./cases.ts";
import type { Scene } from "./scene.ts";

/** What somebody else writes over the source. */
export const NEWER = "newer content, not ours";

type Facts = {
  /** What the source was. */
  readonly older: Buffer;
  /** `success`, or an error's code. */
  readonly outcome: string;
  /** Whether somebody else's content was put over the source. */
  readonly overwritten: boolean;
};

/** What did not hold after a move: content that is gone, a success that is not true, an upload that was left. */
export function judgeMove(
  { stack, one, bucket, target }: Scene,
  { older, outcome, overwritten }: Facts,
): readonly string[] {
  const source = stack.sandbox.bytes(bucket, "source");
  const copy = target.bytes(bucket, "copy");
  const isOlder = (bytes: Uint8Array | undefined) => bytes !== undefined && Buffer.compare(bytes, older) === 0;
  // Overwritten before the first look, the newer content is what the move pins.
  const newerPinned = overwritten && one.operation === "HeadObject" && one.at === "source" && isBefore(one);
  const isPinned = newerPinned ? isNewer : isOlder;
  const problems: string[] = [];
  const demand = (holds: boolean, problem: string) => {
    if (!holds) problems.push(problem);
  };
  demand(outcome !== "WaitTimeout", "the job did not end");
  // A versioned bucket keeps what was deleted by its name alone.
  const versions = stack.sandbox.versions(bucket, "source").filter(({ deleteMarker }) => !deleteMarker);
  const newerKept = versions.some(({ versionId }) => isNewer(stack.sandbox.bytes(bucket, "source", versionId)));
  demand(!overwritten || newerKept || (newerPinned && isNewer(copy)), "what somebody else wrote to the source is gone");
  demand(overwritten || isOlder(source) || isOlder(copy), "the content is at neither end");
  if (outcome === "success") {
    demand(isPinned(copy), "success was reported without the content at the destination");
    demand(!isPinned(source), "success was reported with the source still there");
    const view = target.object(bucket, "copy");
    const complete = view?.metadata["by"] === "them" && view.tags["of"] === "theirs";
    demand(newerPinned || complete, "the copy lacks the metadata or the tags");
  }
  const open = target.uploads(bucket).map(({ parts }) => parts.length);
  demand(
    open.length === 0 || idNeverArrived(one),
    `${open.length} uploads were left open, with ${open.join(", ")} parts`,
  );
  return problems;
}

const isNewer = (bytes: Uint8Array | undefined): boolean =>
  bytes !== undefined && Buffer.from(bytes).toString() === NEWER;

const isBefore = ({ trouble }: MoveCase): boolean => trouble.kind === "overwrite" && trouble.when === "before";

/** An upload whose id was lost with the answer cannot be told from anybody else's; a lifecycle rule of the bucket ends those. */
export const idNeverArrived = ({ operation }: MoveCase): boolean => operation === "CreateMultipartUpload";
