import { defineListHandler } from "../handler.ts";
import { listObjects } from "./contract.ts";

/** S3 gives at most 1,000 keys a page. https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
const PAGE = 1000;

export const listObjectsHandler = defineListHandler(listObjects, async function* (input, { s3, signal }) {
  const { bucket, prefix, startAfter } = input;
  let left = input.limit ?? Number.POSITIVE_INFINITY;
  let continuationToken: string | undefined;
  do {
    const page = await s3.listPage(
      {
        bucket,
        maxKeys: Math.min(PAGE, left),
        ...(prefix !== undefined && { prefix }),
        ...(continuationToken === undefined ? startAfter !== undefined && { startAfter } : { continuationToken }),
      },
      { signal },
    );
    yield page.objects.slice(0, left);
    left -= page.objects.length;
    continuationToken = page.next;
  } while (continuationToken !== undefined && left > 0);
});
