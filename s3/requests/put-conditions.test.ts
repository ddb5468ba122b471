import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { buffer } from "node:stream/consumers";
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { call, MIB, openOddStore } from "../../test/open-s3.ts";
import type { S3 } from "../interface.ts";

const md5 = (text: string): string => createHash("md5").update(text).digest("hex");
const write = (s3: S3, content: string, ifMatch: string) =>
  s3.put(
    {
      bucket: "in",
      key: "a",
      body: Readable.from([Buffer.from(content)]),
      size: content.length,
      attributes: {},
      ifMatch,
    },
    call,
  );

/** One object, and a write condition that is compared as `matches` says. */
async function openStore(matches: (header: string, etag: string) => boolean) {
  let content = "first";
  const conditions: string[] = [];
  const s3 = await openOddStore(
    (request: IncomingMessage, response) => {
      const answer = async (): Promise<void> => {
        const body = String(await buffer(request));
        const etag = md5(content);
        if (request.method === "HEAD") {
          response
            .writeHead(200, {
              etag: `"${etag}"`,
              "content-length": content.length,
              "last-modified": new Date(0).toUTCString(),
            })
            .end();
          return;
        }
        const condition = String(request.headers["if-match"]);
        conditions.push(condition);
        if (!matches(condition, etag)) {
          response.writeHead(412).end("<Error><Code>PreconditionFailed</Code></Error>");
          return;
        }
        content = body;
        response.writeHead(200, { etag: `"${md5(body)}"` }).end();
      };
      void answer();
    },
    { checksums: "when-required" },
  );
  return { s3, conditions, content: () => content };
}

test("sends If-Match bare in the next attempt where a store takes its quotes for part of the ETag", async () => {
  const { s3, conditions, content } = await openStore((header, etag) => header === etag);
  const etag = md5("first");
  await expect(write(s3, "second", etag)).rejects.toMatchObject({ code: "PreconditionFailed", retryable: true });
  expect(content()).toBe("first");
  expect((await write(s3, "second", etag)).etag).toBe(md5("second"));
  expect(conditions).toEqual([`"${etag}"`, etag]);
});

test("does not repeat a write whose condition is not met", async () => {
  const { s3, conditions, content } = await openStore((header, etag) => header === `"${etag}"`);
  await expect(write(s3, "second", md5("another"))).rejects.toMatchObject({
    code: "PreconditionFailed",
    retryable: false,
  });
  expect([content(), conditions]).toEqual(["first", []]);
  expect((await write(s3, "second", md5("first"))).etag).toBe(md5("second"));
  expect(conditions).toEqual([`"${md5("first")}"`]);
});

test("looks for the current object where a store calls the only version of an upload in parts `null`", async () => {
  const parts: string[] = [];
  const named: string[] = [];
  const size = 6 * MIB;
  const answers: Readonly<Record<string, string>> = {
    uploads: "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>",
    complete: "<CompleteMultipartUploadResult><ETag>etag-2</ETag></CompleteMultipartUploadResult>",
  };
  const s3 = await openOddStore(
    (request, response) => {
      const answer = async (): Promise<void> => {
        const body = await buffer(request);
        const { searchParams } = new URL(request.url ?? "", "http://odd");
        if (request.method === "HEAD") {
          if (searchParams.has("versionId")) named.push("HEAD");
          const headers = { etag: '"etag-2"', "content-length": size, "last-modified": new Date(0).toUTCString() };
          response.writeHead(searchParams.has("versionId") ? 400 : 200, headers).end();
        } else if (request.method === "PUT") {
          parts.push(searchParams.get("partNumber") ?? "");
          response.writeHead(200, { etag: `"${createHash("md5").update(body).digest("hex")}"` }).end();
        } else if (searchParams.has("uploads")) response.writeHead(200).end(answers["uploads"]);
        else response.writeHead(200, { "x-amz-version-id": "null" }).end(answers["complete"]);
      };
      void answer();
    },
    { checksums: "when-required", multipartThreshold: 5 * MIB },
    { uploadPartSize: 5 * MIB },
  );
  const body = Readable.from([Buffer.alloc(size)]);
  const object = await s3.put({ bucket: "in", key: "a", body, size, attributes: {} }, call);
  expect(object).toMatchObject({ size, etag: "etag-2" });
  expect(parts.toSorted()).toEqual(["1", "2"]);
  expect(named).toEqual([]);
});
