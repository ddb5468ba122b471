import type { S3Object } from "../../model/entities.ts";
import type { ActivityInput } from "../../jobs/contracts.ts";
import { runJob } from "../run-job.ts";
import type { S3Url } from "../s3-url.ts";
import type { Session } from "../session.ts";

/** Objects that one job lists: the first line is there at once, however long the whole list is. */
export const PAGE = 1000;
/** So few fit on the job itself: no document is written and read before the first line. */
export const FIRST_PAGE = 50;

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
  const ask = (size: number) =>
    askPage({ producer, signal }, { bucket, prefix, startAfter, limit: size, credentials: profile, requesterPays });
  let page = ask(Math.min(FIRST_PAGE, left));
  while (left > 0) {
    const { objects, full } = await page;
    if (full && objects.length < left && !inOrder(objects, startAfter)) {
      if (startAfter !== undefined)
        throw new Error("the store lists keys in no order: nothing can be listed page by page");
      yield* wholeList({ producer, signal }, { bucket, key: prefix }, { profile, requesterPays, limit: left });
      return;
    }
    left -= objects.length;
    startAfter = objects.at(-1)?.key;
    const ended = !full || left === 0;
    // The next page comes while this one is worked on.
    if (!ended) page = later(ask(Math.min(PAGE, left)));
    yield* objects;
    if (ended) return;
  }
}

/** One page; whether there may be more. */
export async function askPage(
  { producer, signal }: Pick<Session, "producer" | "signal">,
  input: ActivityInput<"list-objects"> & { readonly limit: number },
): Promise<{ readonly objects: readonly S3Object[]; readonly full: boolean }> {
  const { objects } = await runJob(producer, signal, { activity: "list-objects", input }, (job) =>
    job.result({ signal }),
  );
  return { objects, full: objects.length === input.limit };
}

/** For what is awaited later, or by nobody any more: why it failed is told when it is. */
export function later<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
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
