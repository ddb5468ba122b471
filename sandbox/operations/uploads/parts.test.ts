import { createHash } from "node:crypto";
import { crc32 as crc32Of } from "node:zlib";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
  type CompletedPart,
  type CreateMultipartUploadCommandInput,
  type S3Client,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { describe, expect } from "vitest";
import { connect, expectRefusal, test } from "../../fixtures.ts";
import { GIB, MIB } from "../../options.ts";

const where = { Bucket: "docs", Key: "big" };

async function begin(s3: S3Client, more: Partial<CreateMultipartUploadCommandInput> = {}): Promise<string> {
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ ...where, ...more }));
  return UploadId!;
}

const complete = (s3: S3Client, UploadId: string, Parts: CompletedPart[], more: object = {}) =>
  s3.send(new CompleteMultipartUploadCommand({ ...where, UploadId, MultipartUpload: { Parts }, ...more }));

/** A client that adds no checksums of its own, as older ones do. */
const plain = { requestChecksumCalculation: "WHEN_REQUIRED", responseChecksumValidation: "WHEN_REQUIRED" } as const;

test("lib-storage uploads in parts, with the ETag of an upload in parts", async ({ sandbox, s3 }) => {
  const body = Buffer.alloc(12 * MIB, "abcdefg");
  await new Upload({
    client: s3,
    params: { ...where, Body: body, Metadata: { owner: "ann" }, Tagging: "a=1" },
    partSize: 5 * MIB,
  }).done();
  const md5 = (bytes: Buffer) => createHash("md5").update(bytes).digest();
  const parts = [body.subarray(0, 5 * MIB), body.subarray(5 * MIB, 10 * MIB), body.subarray(10 * MIB)];
  const object = sandbox.object("docs", "big");
  expect(object?.etag).toBe(`${md5(Buffer.concat(parts.map(md5))).toString("hex")}-3`);
  expect(object).toMatchObject({ size: 12 * MIB, parts: 3, metadata: { owner: "ann" }, tags: { a: "1" } });
  expect(sandbox.bytes("docs", "big")?.equals(body)).toBe(true);
  expect(sandbox.uploads()).toEqual([]);
  const got = await s3.send(new GetObjectCommand(where));
  expect(Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(body)).toBe(true);
  const second = await s3.send(new HeadObjectCommand({ ...where, PartNumber: 2 }));
  expect([second.ContentLength, second.PartsCount, second.ContentRange]).toEqual([
    5 * MIB,
    3,
    `bytes ${5 * MIB}-${10 * MIB - 1}/${12 * MIB}`,
  ]);
});

describe("completing an upload", () => {
  test("refuses parts that are wrong, missing, out of order or too small", async ({ sandbox }) => {
    const s3 = connect(sandbox, plain);
    const UploadId = await begin(s3);
    const upload = async (PartNumber: number, size: number) => {
      const { ETag } = await s3.send(
        new UploadPartCommand({ ...where, UploadId, PartNumber, Body: Buffer.alloc(size, PartNumber) }),
      );
      return { PartNumber, ETag };
    };
    const small = await upload(1, 1000);
    const large = await upload(2, 5 * MIB);
    const last = await upload(4, 10);
    await expectRefusal(complete(s3, UploadId, [small, large]), "EntityTooSmall", 400);
    await expectRefusal(complete(s3, UploadId, [last, large]), "InvalidPartOrder", 400);
    await expectRefusal(complete(s3, UploadId, [large, { PartNumber: 3, ETag: large.ETag }]), "InvalidPart", 400);
    await expectRefusal(complete(s3, UploadId, [{ ...large, ETag: '"other"' }]), "InvalidPart", 400);
    await expectRefusal(complete(s3, UploadId, []), "MalformedXML", 400);
    await expectRefusal(complete(s3, UploadId, [large, last], { MpuObjectSize: 1 }), "InvalidRequest", 400);
    await complete(s3, UploadId, [large, last], { MpuObjectSize: 5 * MIB + 10 });
    expect(sandbox.object("docs", "big")?.size).toBe(5 * MIB + 10);
    await expectRefusal(complete(s3, UploadId, [large, last]), "NoSuchUpload", 404);
  });

  test("holds to its conditions", async ({ sandbox }) => {
    const s3 = connect(sandbox, plain);
    sandbox.put("docs", "big", "other");
    const UploadId = await begin(s3);
    const { ETag } = await s3.send(new UploadPartCommand({ ...where, UploadId, PartNumber: 1, Body: "x" }));
    await expectRefusal(
      complete(s3, UploadId, [{ PartNumber: 1, ETag }], { IfNoneMatch: "*" }),
      "PreconditionFailed",
      412,
    );
    await expectRefusal(
      complete(s3, UploadId, [{ PartNumber: 1, ETag }], { IfMatch: '"other"' }),
      "PreconditionFailed",
      412,
    );
    await complete(s3, UploadId, [{ PartNumber: 1, ETag }], { IfMatch: sandbox.object("docs", "big")?.etag });
    expect(sandbox.text("docs", "big")).toBe("x");
  });

  test("computes checksums of parts and of the whole", async ({ sandbox, s3 }) => {
    const bytes = [Buffer.alloc(5 * MIB, "a"), Buffer.from("the end")];
    for (const ChecksumType of ["COMPOSITE", "FULL_OBJECT"] as const) {
      const UploadId = await begin(s3, { ChecksumAlgorithm: "CRC32", ChecksumType });
      const parts: CompletedPart[] = [];
      for (const [i, Body] of bytes.entries()) {
        const { ETag, ChecksumCRC32 } = await s3.send(
          new UploadPartCommand({ ...where, UploadId, PartNumber: i + 1, Body, ChecksumAlgorithm: "CRC32" }),
        );
        parts.push({ PartNumber: i + 1, ETag, ChecksumCRC32 });
      }
      if (ChecksumType === "COMPOSITE") {
        const without = parts.map(({ PartNumber, ETag }) => ({ PartNumber, ETag }));
        await expectRefusal(complete(s3, UploadId, without), "InvalidRequest", 400);
      }
      const done = await complete(s3, UploadId, parts);
      expect(done.ChecksumType).toBe(ChecksumType);
      if (ChecksumType === "COMPOSITE") expect(done.ChecksumCRC32).toMatch(/-2$/);
      // The SDK checks the whole object's checksum while it reads.
      const got = await s3.send(new GetObjectCommand({ ...where, ChecksumMode: "ENABLED" }));
      expect((await got.Body?.transformToByteArray())?.length).toBe(5 * MIB + 7);
    }
    const attributes = await s3.send(
      new GetObjectAttributesCommand({
        ...where,
        ObjectAttributes: ["ETag", "Checksum", "ObjectParts", "ObjectSize", "StorageClass"],
      }),
    );
    expect(attributes).toMatchObject({
      ETag: sandbox.object("docs", "big")?.etag,
      ObjectSize: 5 * MIB + 7,
      ObjectParts: { TotalPartsCount: 2 },
    });
    expect(attributes.Checksum?.ChecksumType).toBe("FULL_OBJECT");
  });
});

test("parts must bring the checksum that the upload announced", async ({ sandbox }) => {
  const s3 = connect(sandbox, plain);
  const UploadId = await begin(s3, { ChecksumAlgorithm: "SHA256" });
  await expectRefusal(
    s3.send(new UploadPartCommand({ ...where, UploadId, PartNumber: 1, Body: "x" })),
    "InvalidRequest",
    400,
  );
});

test("aborted uploads are gone with their parts, and ids fit one key only", async ({ sandbox, s3 }) => {
  const UploadId = await begin(s3);
  const other = new UploadPartCommand({ ...where, Key: "other", UploadId, PartNumber: 1, Body: "x" });
  await expectRefusal(s3.send(other), "NoSuchUpload", 404);
  await s3.send(new AbortMultipartUploadCommand({ ...where, UploadId }));
  expect(sandbox.uploads()).toEqual([]);
  await expectRefusal(s3.send(new AbortMultipartUploadCommand({ ...where, UploadId })), "NoSuchUpload", 404);
  await expectRefusal(
    s3.send(new UploadPartCommand({ ...where, UploadId, PartNumber: 1, Body: "x" })),
    "NoSuchUpload",
    404,
  );
});

test("lists uploads and parts in pages", async ({ sandbox }) => {
  const s3 = connect(sandbox, plain);
  const UploadId = await begin(s3);
  await begin(s3);
  await begin(s3, { Key: "dir/other" });
  const seen: string[] = [];
  let markers: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } | undefined = {};
  while (markers !== undefined) {
    const page: {
      Uploads?: { UploadId?: string | undefined }[] | undefined;
      IsTruncated?: boolean | undefined;
      NextKeyMarker?: string | undefined;
      NextUploadIdMarker?: string | undefined;
    } = await s3.send(new ListMultipartUploadsCommand({ Bucket: "docs", MaxUploads: 1, ...markers }));
    seen.push(...(page.Uploads ?? []).map((upload) => upload.UploadId ?? ""));
    markers = page.IsTruncated ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker } : undefined;
  }
  expect(seen.toSorted()).toEqual(
    sandbox
      .uploads()
      .map((upload) => upload.uploadId)
      .toSorted(),
  );
  const grouped = await s3.send(new ListMultipartUploadsCommand({ Bucket: "docs", Delimiter: "/" }));
  expect([grouped.Uploads?.length, grouped.CommonPrefixes]).toEqual([2, [{ Prefix: "dir/" }]]);
  for (const PartNumber of [1, 2, 3])
    await s3.send(new UploadPartCommand({ ...where, UploadId, PartNumber, Body: "x" }));
  const parts = await s3.send(new ListPartsCommand({ ...where, UploadId, MaxParts: 2 }));
  expect([parts.Parts?.map((part) => part.PartNumber), parts.IsTruncated, parts.NextPartNumberMarker]).toEqual([
    [1, 2],
    true,
    "2",
  ]);
});

describe("copying parts", () => {
  test("moves 6 GiB in parts without holding them, byte for byte", async ({ sandbox }) => {
    const s3 = connect(sandbox, plain);
    const size = 6 * GIB + 123;
    sandbox.generate("docs", { count: 1, key: () => "huge", size });
    const source = sandbox.object("docs", "huge");
    const UploadId = await begin(s3);
    const parts: CompletedPart[] = [];
    const partSize = GIB;
    const memory = process.memoryUsage().rss;
    for (let start = 0; start < size; start += partSize) {
      const PartNumber = parts.length + 1;
      const end = Math.min(start + partSize, size) - 1;
      const copy = {
        CopySource: "docs/huge",
        CopySourceRange: `bytes=${start}-${end}`,
        CopySourceIfMatch: `"${source?.etag}"`,
      };
      const { CopyPartResult } = await s3.send(new UploadPartCopyCommand({ ...where, UploadId, PartNumber, ...copy }));
      parts.push({ PartNumber, ETag: CopyPartResult?.ETag });
    }
    await complete(s3, UploadId, parts);
    expect(sandbox.object("docs", "big")).toMatchObject({ size, parts: 7 });
    for (const start of [0, GIB - 500, 5 * GIB + 77, size - 1000]) {
      const read = async (Key: string) => {
        const got = await s3.send(
          new GetObjectCommand({ Bucket: "docs", Key, Range: `bytes=${start}-${start + 999}` }),
        );
        return Buffer.from((await got.Body?.transformToByteArray()) ?? []);
      };
      expect((await read("big")).equals(await read("huge"))).toBe(true);
    }
    expect(process.memoryUsage().rss - memory).toBeLessThan(200 * MIB);
  });

  test("shows when parts end up in the wrong order", async ({ sandbox }) => {
    const s3 = connect(sandbox, plain);
    sandbox.generate("docs", { count: 1, key: () => "huge", size: 10 * MIB });
    const UploadId = await begin(s3);
    const parts: CompletedPart[] = [];
    for (const [i, start] of [5 * MIB, 0].entries()) {
      const range = { CopySource: "docs/huge", CopySourceRange: `bytes=${start}-${start + 5 * MIB - 1}` };
      const { CopyPartResult } = await s3.send(
        new UploadPartCopyCommand({ ...where, UploadId, PartNumber: i + 1, ...range }),
      );
      parts.push({ PartNumber: i + 1, ETag: CopyPartResult?.ETag });
    }
    await complete(s3, UploadId, parts);
    expect(sandbox.bytes("docs", "big")?.equals(sandbox.bytes("docs", "huge")!)).toBe(false);
  });

  test("is fenced by the source's ETag and its size", async ({ sandbox, s3 }) => {
    sandbox.put("docs", "a", "hello");
    const UploadId = await begin(s3);
    const copy = (more: object) =>
      s3.send(new UploadPartCopyCommand({ ...where, UploadId, PartNumber: 1, CopySource: "docs/a", ...more }));
    await expectRefusal(copy({ CopySourceIfMatch: '"other"' }), "PreconditionFailed", 412);
    await expectRefusal(copy({ CopySourceRange: "bytes=0-5" }), "InvalidArgument", 400);
    await expectRefusal(copy({ CopySourceRange: "0-4" }), "InvalidArgument", 400);
    await expectRefusal(copy({ PartNumber: 10_001 }), "InvalidArgument", 400);
    await copy({ CopySourceRange: "bytes=0-4" });
  });
});

const crc32 = (bytes: Buffer) => {
  const value = Buffer.alloc(4);
  value.writeUInt32BE(crc32Of(bytes));
  return value.toString("base64");
};

test("takes parts with a checksum in an upload that named none, and holds the completion's list against them", async ({
  sandbox,
  s3,
}) => {
  const Body = Buffer.from("a part");
  const UploadId = await begin(s3);
  const part = { ...where, UploadId, PartNumber: 1 };
  await expectRefusal(
    s3.send(new UploadPartCommand({ ...part, Body, ChecksumCRC32: crc32(Buffer.from("else")) })),
    "BadDigest",
    400,
  );
  const { ETag } = await s3.send(new UploadPartCommand({ ...part, Body, ChecksumCRC32: crc32(Body) }));
  const listed = { PartNumber: 1, ETag };
  const wrong = complete(s3, UploadId, [{ ...listed, ChecksumCRC32: crc32(Buffer.from("else")) }]);
  await expectRefusal(wrong, "InvalidPart", 400);
  const done = await complete(s3, UploadId, [{ ...listed, ChecksumCRC32: crc32(Body) }]);
  expect([done.ChecksumCRC64NVME, done.ChecksumType]).toEqual([expect.any(String), "FULL_OBJECT"]);
  expect(sandbox.text("docs", "big")).toBe("a part");
});

test("compares a checksum of the whole object with the object, not with the request's document", async ({ s3 }) => {
  const Body = Buffer.from("the whole");
  const upload = async (given: string) => {
    const UploadId = await begin(s3, { ChecksumAlgorithm: "CRC32", ChecksumType: "FULL_OBJECT" });
    const { ETag } = await s3.send(new UploadPartCommand({ ...where, UploadId, PartNumber: 1, Body }));
    return complete(s3, UploadId, [{ PartNumber: 1, ETag }], { ChecksumCRC32: given, ChecksumType: "FULL_OBJECT" });
  };
  expect((await upload(crc32(Body))).ChecksumCRC32).toBe(crc32(Body));
  await expectRefusal(upload(crc32(Buffer.from("else"))), "BadDigest", 400);
});

test("every part of an upload with a customer's key brings that key", async ({ s3 }) => {
  const keyOf = (letter: string) => ({
    SSECustomerAlgorithm: "AES256",
    SSECustomerKey: Buffer.from(letter.repeat(32)).toString("base64"),
    SSECustomerKeyMD5: createHash("md5").update(letter.repeat(32)).digest("base64"),
  });
  const UploadId = await begin(s3, keyOf("a"));
  const part = { ...where, UploadId, PartNumber: 1, Body: "x" };
  await expectRefusal(s3.send(new UploadPartCommand(part)), "InvalidRequest", 400);
  await expectRefusal(s3.send(new UploadPartCommand({ ...part, ...keyOf("b") })), "InvalidRequest", 400);
  const { ETag } = await s3.send(new UploadPartCommand({ ...part, ...keyOf("a") }));
  await complete(s3, UploadId, [{ PartNumber: 1, ETag }]);
  const { PartsCount } = await s3.send(new HeadObjectCommand({ ...where, ...keyOf("a"), PartNumber: 1 }));
  expect(PartsCount).toBe(1);
});
