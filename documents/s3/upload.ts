import { ActivityError } from "../../model/activity-error.ts";
import type { OwnBucket } from "../../s3/own/bucket.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MAX_PARTS = 10_000;
const MIB = 1024 * 1024;

/** What is cleaned up after a failure must not hold the failure back for long. What is left then is the sweeper's. */
const CLEANUP_MS = 10_000;

/** A signal of its own for cleaning up: the caller's may have been aborted, which is why there is something to clean. */
export function cleanupSignal(): AbortSignal {
  return AbortSignal.timeout(CLEANUP_MS);
}

/** Parts of 8 MiB, or as large as the size demands; of 16 MiB where nobody knows it (up to 156 GiB). All alike: some stores insist. */
export function partSizeFor(size: number | undefined): number {
  return size === undefined ? 16 * MIB : Math.max(8 * MIB, Math.ceil(size / MAX_PARTS));
}

/** One upload in parts. */
export type PartsUpload = {
  /** Waits only while enough parts are under way. */
  send(bytes: Uint8Array): Promise<void>;
  complete(size: number): Promise<void>;
  /** Waits for what is under way, then aborts the upload, so that no part stays behind. Call after the signal was aborted. */
  abort(): Promise<void>;
};

type Options = {
  readonly key: string;
  readonly contentType: string;
  readonly partSize: number;
  readonly signal: AbortSignal;
  /** Called when a part failed: must abort the signal, which stops the source and the other parts. */
  readonly fail: (error: unknown) => void;
};

/**
 * Begins an upload in parts. Not the SDK's own `Upload`: that cannot end a request under way, and returns from an abort before it has
 * cleaned up.
 */
export async function startPartsUpload(
  bucket: OwnBucket,
  { key, contentType, partSize, signal, fail }: Options,
): Promise<PartsUpload> {
  const uploadId = await bucket.startUpload(key, contentType, { signal });
  const atOnce = Math.max(1, Math.min(4, Math.floor((32 * MIB) / partSize)));
  const etags: string[] = [];
  const underWay: Promise<void>[] = [];
  let number = 0;

  const sendPart = async (part: number, bytes: Uint8Array): Promise<void> => {
    try {
      etags[part - 1] = await bucket.uploadPart({ key, uploadId, number: part, bytes }, { signal });
    } catch (error) {
      fail(error);
    }
  };
  return {
    async send(bytes) {
      number += 1;
      if (number > MAX_PARTS) throw tooLarge(partSize);
      if (underWay.length >= atOnce) await underWay.shift();
      signal.throwIfAborted();
      underWay.push(sendPart(number, bytes));
    },
    async complete(size) {
      await Promise.all(underWay);
      signal.throwIfAborted();
      try {
        await bucket.completeUpload(key, uploadId, etags, { signal });
      } catch (error) {
        // Its answer may be what was lost. The key is ours alone: an object of the right size under it is this upload.
        signal.throwIfAborted();
        if ((await bucket.size(key, { signal })) !== size) throw error;
      }
    },
    async abort() {
      await Promise.all(underWay);
      await bucket.abortUpload(key, uploadId, { signal: cleanupSignal() });
    },
  };
}

/** Cuts into parts of exactly `partSize`, but for the last, which is shorter or as long, and may be empty. */
export async function* partsOf(
  chunks: AsyncIterable<Uint8Array>,
  partSize: number,
): AsyncGenerator<{ readonly bytes: Uint8Array; readonly last: boolean }> {
  let held: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    held.push(chunk);
    length += chunk.length;
    if (length <= partSize) continue;
    const joined = Buffer.concat(held, length);
    let at = 0;
    for (; length - at > partSize; at += partSize) yield { bytes: joined.subarray(at, at + partSize), last: false };
    // A copy: a view would keep the whole part in memory.
    held = [Buffer.from(joined.subarray(at))];
    length -= at;
  }
  yield { bytes: Buffer.concat(held, length), last: true };
}

function tooLarge(partSize: number): ActivityError {
  return new ActivityError(
    "DocumentTooLarge",
    `a document of unknown size can have ${MAX_PARTS} parts of ${partSize} bytes; give its size to the write`,
  );
}
