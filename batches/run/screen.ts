import { keyProblem } from "../../model/object-key.ts";
import { OPEN } from "./outcomes.ts";
import { type ChunkWork, destinationKeyAt, type Screened } from "./work.ts";

/**
 * Must be restored before they can be read, which a dry run counts by the listed class. https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects.html
 * Intelligent-Tiering's archive tiers show only when a copy is refused: `InvalidObjectState`.
 */
const ARCHIVED: ReadonlySet<string> = new Set(["GLACIER", "DEEP_ARCHIVE"]);

export function isArchived(storageClass: string | undefined): boolean {
  return storageClass !== undefined && ARCHIVED.has(storageClass);
}

/** Decides, without a request, on all objects that cannot or must not be worked on. */
export function screenObjects(work: ChunkWork): void {
  const { manifest, outcomes, operation } = work;
  for (const [index, code, message] of manifest.refusals ?? [])
    if (outcomes.status[index] === OPEN) outcomes.failed(index, { code, message });
  const screen = operation.screen?.(work);
  for (let index = 0; index < manifest.keys.length; index++) {
    if (outcomes.status[index] !== OPEN) continue;
    const own = screen?.(index);
    const refusal = own === undefined || own.skip === true ? refusalOf(work, index) : own;
    if (refusal !== undefined) outcomes.failed(index, refusal);
    else if (own !== undefined) outcomes.skipped(index, { code: own.code, message: own.message });
  }
}

function refusalOf(work: ChunkWork, index: number): Screened | undefined {
  const { manifest, spec } = work;
  const key = manifest.keys[index] ?? "";
  const unsafe = keyProblem(key);
  if (unsafe !== undefined) return { code: "UnsafeKey", message: `UnsafeKey: ${unsafe}` };
  const to = destinationKeyAt(work, index);
  const unsafeTo = to === undefined || to === key ? undefined : keyProblem(to);
  if (unsafeTo !== undefined) return { code: "UnsafeKey", message: `UnsafeKey: destination: ${unsafeTo}` };
  if (!work.mayTouch(index))
    return {
      code: "PolicyDenied",
      message: `PolicyDenied: the profile's policy does not allow to ${spec.operation} this object`,
    };
  return undefined;
}
