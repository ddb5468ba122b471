import type { ServerResponse } from "node:http";
import { expect, test } from "vitest";
import { call, errorOf, openOddStore } from "../../test/open-s3.ts";

/** Sends a piece again and again, for as long as somebody takes it; tells how much that was. */
function sendEndlessly(response: ServerResponse, piece: string, sent: { bytes: number }): void {
  const block = Buffer.from(piece.repeat(2000));
  const more = (): void => {
    while (!response.destroyed && response.write(block)) sent.bytes += block.length;
    response.once("drain", more);
  };
  response.on("error", () => {});
  more();
}

test.each([
  [200, "<ListAllMyBucketsResult><Owner><ID>x</ID></Owner><Buckets>", "<Bucket><Name>in</Name></Bucket>"],
  [400, "<Error><Code>BadRequest</Code><Message>", "no, no, no"],
])("lets go of an answer of %d that has no end", async (status, beginning, piece) => {
  const sent = { bytes: 0 };
  const s3 = await openOddStore((_, response) => {
    response.writeHead(status, { "content-type": "application/xml" }).write(beginning);
    sendEndlessly(response, piece, sent);
  });
  const buckets = s3.listBuckets({}, call)[Symbol.asyncIterator]();
  expect((await errorOf(buckets.next())).message).toContain("expected an answer of at most 16777216 bytes");
  // Twice where it is asked again.
  expect(sent.bytes).toBeLessThan(64 * 1024 * 1024);
});
