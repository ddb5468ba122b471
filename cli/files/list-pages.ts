import type { S3Object } from "../../model/entities.ts";
import { runJob } from "../run-job.ts";
import type { S3Url } from "../s3-url.ts";
import type { Session } from "../session.ts";

/** Objects that one job lists: the first line is there at once, however long the whole list is. */
const PAGE = 1000;

type ListOptions = {
  readonly profile?: string | undefined;
  readonly requesterPays?: boolean | undefined;
  readonly limit?: number | undefined;
};

/**
 * All objects under a prefix, page by page, in the store's order. A store that lists in no order (directory buckets) cannot be gone on
 * with from a key: there the whole list is asked for at once.
 */
export async function* listObjects(
  { producer, signal }: Session,
  { bucket, key: prefix }: S3Url,
  { profile, requesterPays, limit = Infinity }: ListOptions = {},
): AsyncGenerator<S3Object> {
  let left = limit;
  let startAfter: string | undefined;
  while (left > 0) {
    const size = Math.min(PAGE, left);
    const input = { bucket, prefix, startAfter, limit: size, credentials: profile, requesterPays };
    const { objects } = await runJob(producer, signal, { activity: "list-objects", input }, (job) =>
      job.result({ signal }),
    );
    if (objects.length === size && size < left && !inOrder(objects, startAfter)) {
      if (startAfter !== undefined)
        throw new Error("the store lists keys in no order: nothing can be listed page by page");
      yield* wholeList({ producer, signal }, { bucket, key: prefix }, { profile, requesterPays, limit: left });
      return;
    }
    yield* objects;
    left -= objects.length;
    startAfter = objects.at(-1)?.key;
    if (objects.length < size) return;
  }
}

async function* wholeList(
  { producer, signal }: Pick<Session, "producer" | "signal">,
  { bucket, key: prefix }: S3Url,
  { profile, requesterPays, limit }: Omit<ListOptions, "limit"> & { readonly limit: number },
): AsyncGenerator<S3Object> {
  const input = { bucket, prefix, credentials: profile, requesterPays, ...(Number.isFinite(limit) && { limit }) };
  const job = await producer.enqueue("list-objects", input);
  yield* job.entities({ signal });
}

/** S3 lists in the order of UTF-8 bytes. https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
function inOrder(objects: readonly S3Object[], after: string | undefined): boolean {
  let last = after === undefined ? undefined : Buffer.from(after);
  return objects.every(({ key }) => {
    const bytes = Buffer.from(key);
    const fine = last === undefined || Buffer.compare(last, bytes) < 0;
    last = bytes;
    return fine;
  });
}
