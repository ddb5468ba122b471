import type { Generation } from "../generation.ts";
import type { Enforced } from "../store.ts";
import type { Look, Overwrite, Sent } from "./witness.ts";

/** How something went: deleted, or written over. */
export type How = "delete" | Overwrite;

/** The last of a content that somebody wrote and did not give up is gone: everything that tells whether it could be prevented. */
export type Loss = {
  readonly lost: Generation;
  readonly how: How;
  /** The request that did it. */
  readonly sent: Sent;
  /** What the run saw there just before it sent that. */
  readonly look: Look | undefined;
  readonly enforced: Enforced;
  /** Redis went back in time while the request was on its way. */
  readonly redisForgot: boolean;
  /** The lost object came after the look. */
  readonly cameAfterLook: boolean;
  /** The same bytes were written there twice within one second. */
  readonly hasTwin: boolean;
};

type Excuse = (loss: Loss) => boolean;

/**
 * Losses that nobody can prevent: those of the table in docs/faults.md, and nothing else. Where versions keep everything there is none. Of what others
 * wrote, the run had looked and sent its request at once; copies of ours are excused only where Redis forgot.
 */
const EXCUSES: readonly Excuse[] = [
  hitsOurCopyLateAsRedisForgot,
  writesOverWhatCameAfterLook,
  deletesWhatCameAfterLook,
  deletesTwinOfSameSecond,
];

export const isExcused = (loss: Loss): boolean => EXCUSES.some((holds) => holds(loss));

/** The request was on its way when Redis forgot who had these objects to itself. */
function hitsOurCopyLateAsRedisForgot({ lost, how, redisForgot, enforced }: Loss): boolean {
  return !isOfOthers(lost) && redisForgot && (how === "delete" || !enforced.write);
}

/** A store that enforces `If-None-Match` refuses that. */
function writesOverWhatCameAfterLook({ lost, how, cameAfterLook, enforced }: Loss): boolean {
  return isOfOthers(lost) && how !== "delete" && cameAfterLook && !enforced.write;
}

/** A store that enforces `If-Match` refuses that where the bytes are others. */
function deletesWhatCameAfterLook(loss: Loss): boolean {
  if (!isOfOthers(loss.lost) || loss.how !== "delete" || !loss.cameAfterLook) return false;
  return !enforcesDelete(loss) || hasBytesOfLook(loss);
}

/** The same bytes of the same second as the pinned object: no look tells them apart. */
function deletesTwinOfSameSecond(loss: Loss): boolean {
  return isOfOthers(loss.lost) && loss.how === "delete" && hasBytesOfLook(loss) && loss.hasTwin;
}

const isOfOthers = ({ by }: Generation): boolean => by === "owner";

const hasBytesOfLook = ({ lost, look }: Loss): boolean => lost.etag === look?.etag;

function enforcesDelete({ sent, enforced }: Loss): boolean {
  return sent.operation === "DeleteObjects" ? enforced.multiDelete : enforced.delete;
}

/** Whoever deletes by name, or writes over what is there, was asked to give this content up; not where the same takes its place. */
export function isGivenUp(lost: Generation, by: string, how: How): boolean {
  if (how !== "delete" && how.payload === lost.payload) return false;
  if (by === "owner" || /^delete(-batch)? /.test(by)) return true;
  return how !== "delete" && /overwrite|skip-identical/.test(by);
}
