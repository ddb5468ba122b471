import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import type { S3Client } from "@aws-sdk/client-s3";
import fc from "fast-check";
import type { CustomerKey } from "../../credentials/resolved-profile.ts";
import { ActivityError } from "../../model/activity-error.ts";
import type { ObjectLock } from "../../model/attributes/object-lock.ts";
import type { ObjectRef } from "../../model/entities.ts";
import type { CannedAcl, Encryption } from "../../model/object-attributes.ts";
import type { OpenS3 } from "../../s3/create.ts";
import type { Overrides, Pin, S3 } from "../../s3/interface.ts";
import { ATTRIBUTES } from "../../s3/requests/attributes/table.ts";
import { call } from "../open-s3.ts";
import { seen, SSE } from "./seen-object.ts";

/** One store, as it is used and as any other client sees it. */
type Terms = Parameters<OpenS3["under"]>[0];
type Store = Pick<OpenS3, "under">;

/** Where generated objects go. */
export type Ends = {
  /** A store that copies whole, the same one that uploads and copies everything in parts, and another store. */
  readonly whole: Store;
  readonly parts: Store;
  readonly other: Store;
  /** Plain clients of both stores, which tell what is there. */
  readonly look: S3Client;
  readonly lookThere: S3Client;
  /** Both stores are one. */
  readonly isOneStore: boolean;
  /** Of both stores; with Object Lock, where objects are to have locks. */
  readonly bucket: string;
  readonly lockedBucket?: string;
  readonly can: Can;
};

/** What a store has, beside headers, metadata and tags. */
export type Can = {
  readonly storageClasses: readonly string[];
  readonly encryptions: readonly Encryption[];
  readonly acls: readonly CannedAcl[];
  readonly lockModes: readonly ("GOVERNANCE" | "COMPLIANCE")[];
  readonly customerKeys: boolean;
};

/** An object to be: what is said of it, and the customer's key that encrypts it. */
export type Generated = { readonly said: Overrides; readonly customerKey: CustomerKey | undefined };

/** Text that some tool mistakes for something else: Latin-1, encoded words, escapes, inner spaces. */
const odd = fc.constantFrom(
  "ä€🙂",
  "=?UTF-8?B?w7w=?=",
  "%C3%BC",
  "a  b",
  'say "hi"; x=1',
  "\u00a0",
  "'+&<>",
  "0",
  "é\u0301",
);
const word = fc.oneof(odd, fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }));
const header = fc
  .array(word, { minLength: 1, maxLength: 3 })
  .map((words) =>
    words
      .join(" ")
      .replaceAll(/[\p{C}\u2028\u2029]/gu, "")
      .trim(),
  )
  .filter((text) => text !== "");
const metadataName = fc.stringMatching(/^[a-z][a-z0-9-]{0,12}$/);
const tag = fc.stringMatching(/^[\p{L}0-9+=._:/@-]{1,20}$/u);

const day = 24 * 3_600_000;
const until = fc.constantFrom(1, 30, 400).map((days) => new Date(Date.now() + days * day).toISOString());

/** A lock in any of its forms: a date, a hold, or both. */
function lock(modes: Can["lockModes"]): fc.Arbitrary<ObjectLock> {
  const dated = fc.record({ mode: fc.constantFrom(...modes), retainUntil: until });
  const held = fc.constant({ legalHold: true });
  return fc.oneof(
    dated,
    held,
    dated.map((one) => ({ ...one, legalHold: true })),
  );
}

const customerKey = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes): CustomerKey => {
  const key = Buffer.from(bytes);
  return { key: key.toString("base64"), md5: createHash("md5").update(key).digest("base64") };
});

/** What an object may have; each attribute is there in about half of them. */
export function generatedObjects(can: Can): fc.Arbitrary<Generated> {
  const { storageClasses, encryptions, acls, lockModes } = can;
  const some = (values: readonly unknown[]) => values.length > 0;
  const said = fc.record(
    {
      contentType: fc.oneof(fc.constantFrom("text/plain", 'text/x; q="a b"', "a/".padEnd(300, "x")), header),
      contentEncoding: fc.constantFrom("gzip", "br,gzip", "x-odd"),
      contentDisposition: header.map((text) => `attachment; filename="${text.replaceAll('"', "")}"`),
      contentLanguage: fc.constantFrom("de", "de, en"),
      cacheControl: header,
      expires: fc.oneof(fc.constantFrom("0", "-1", "Wed, 21 Oct 2026 07:28:00 GMT"), header),
      websiteRedirect: fc.constantFrom("/a?b=c", "https://example.com/ü"),
      metadata: fc.dictionary(metadataName, fc.oneof(header, fc.constantFrom(" outer ", "line\nbreak")), {
        maxKeys: 4,
      }),
      tags: fc.dictionary(tag, tag, { maxKeys: 10 }),
      ...(some(storageClasses) && { storageClass: fc.constantFrom(...storageClasses) }),
      ...(some(encryptions) && { encryption: fc.constantFrom(...encryptions) }),
      ...(some(acls) && { acl: fc.constantFrom(...acls) }),
      ...(some(lockModes) && { objectLock: lock(lockModes) }),
    },
    { requiredKeys: [] },
  );
  const none = { weight: 4, arbitrary: fc.constant(undefined) };
  const keys = can.customerKeys ? fc.oneof(none, { weight: 1, arbitrary: customerKey }) : fc.constant(undefined);
  // S3 takes one way to encrypt.
  return fc.record({ said, customerKey: keys }).map(({ said: { encryption, ...rest }, customerKey: key }) => ({
    said: key === undefined && encryption !== undefined ? { ...rest, encryption } : rest,
    customerKey: key,
  }));
}

const KEEP = { acl: "keep", objectLock: "keep" } as const;
const body = Buffer.from("content that is longer than a part");

/**
 * Uploads one object, whole and in parts, and sends it through every way of copying. Throws where anything of it is another at the other end: its bytes
 * as they come over the wire are compared, not what our own code reads in them.
 *
 * @returns the ways that the store refused, with what it said; nothing is lost by those
 */
export async function throughEveryWay(ends: Ends, prefix: string, generated: Generated): Promise<readonly string[]> {
  const { said, customerKey: key } = generated;
  const bucket = said.objectLock === undefined ? ends.bucket : (ends.lockedBucket ?? ends.bucket);
  const terms: Terms = key === undefined ? {} : { customerKeys: { read: key, write: key } };
  const [whole, parts, other] = [ends.whole.under(terms), ends.parts.under(terms), ends.other.under(terms)];
  const here = (name: string) => seen(ends.can, ends.look, { bucket, name: prefix + name, key });
  const refused: string[] = [];
  const way = async (name: string, run: () => Promise<unknown>, check: () => Promise<void>): Promise<void> => {
    try {
      await run();
    } catch (error) {
      if (!(error instanceof ActivityError) || error.retryable || ![400, 403, 501].includes(error.httpStatus ?? 0))
        throw error;
      return void refused.push(`${name}: ${error.code}`);
    }
    await check();
  };
  const upload = (s3: S3, name: string): Promise<unknown> =>
    s3.put({ bucket, key: prefix + name, body: Readable.from([body]), size: body.length, attributes: said }, call);

  await way(
    "put",
    () => upload(whole, "source"),
    async () => {},
  );
  if (refused.length > 0) return refused;
  const expected = await here("source");
  await asSaid(whole, { bucket, key: `${prefix}source` }, generated, expected);
  const alike = async (name: string): Promise<void> => assert.deepEqual(await here(name), expected, name);
  const source = await pinOf(whole, bucket, `${prefix}source`);
  const to = (name: string) => ({ source, bucket, key: prefix + name, protect: KEEP });
  await way(
    "put-in-parts",
    () => upload(parts, "put-in-parts"),
    () => alike("put-in-parts"),
  );
  await way(
    "copied",
    () => whole.copy(to("copied"), call),
    () => alike("copied"),
  );
  await way(
    "copied-in-parts",
    () => parts.copy(to("copied-in-parts"), call),
    () => alike("copied-in-parts"),
  );
  await way(
    "across",
    () => other.copyFrom(whole, to("across"), call),
    async () => {
      const there = await seen(ends.can, ends.lookThere, { bucket, name: `${prefix}across`, key });
      assert.deepEqual(there, elsewhere(expected, ends), "across stores");
    },
  );
  await inPlace(whole, way, { source, here, expected });
  return refused;
}

type Way = (name: string, run: () => Promise<unknown>, check: () => Promise<void>) => Promise<void>;
type Seen = Awaited<ReturnType<typeof seen>>;

/** A header and then the tags are changed where the object is; all the rest stays. */
async function inPlace(
  s3: S3,
  way: Way,
  { source, here, expected }: { source: Pin; here: (name: string) => Promise<Seen>; expected: Seen },
): Promise<void> {
  const { bucket, key } = source;
  const onto = { bucket, key, protect: { acl: "name", objectLock: "name" } } as const;
  const changed = { ...expected, headers: { ...expected.headers, "content-language": "fr" } };
  const changes = async (pin: Pin, overrides: Overrides) => await s3.copy({ ...onto, source: pin, overrides }, call);
  await way(
    "in-place",
    () => changes(source, { contentLanguage: "fr" }),
    async () => {
      assert.deepEqual(await here("source"), changed, "in place");
      const again = await pinOf(s3, bucket, key);
      await way(
        "tagged-in-place",
        () => changes(again, { tags: { only: "these" } }),
        async () => assert.deepEqual(await here("source"), { ...changed, tags: { only: "these" } }, "tagged in place"),
      );
    },
  );
}

/** What was said is there, in so many words. */
async function asSaid(s3: S3, object: ObjectRef, { said, customerKey: key }: Generated, found: Seen): Promise<void> {
  const { metadata } = await s3.head(object, call);
  assert.deepEqual({ ...metadata }, { ...said.metadata }, "the metadata that was said");
  const wanted: Record<string, string | undefined> = {
    "x-amz-server-side-encryption": said.encryption?.type,
    "x-amz-server-side-encryption-customer-key-md5": key?.md5,
    "x-amz-object-lock-mode": said.objectLock?.mode,
    "x-amz-object-lock-legal-hold": said.objectLock?.legalHold === true ? "ON" : undefined,
  };
  if (said.encryption !== undefined && "keyId" in said.encryption) {
    wanted["x-amz-server-side-encryption-aws-kms-key-id"] = said.encryption.keyId;
    if (said.encryption.bucketKey === true) wanted["x-amz-server-side-encryption-bucket-key-enabled"] = "true";
  }
  for (const { field, header: sent } of ATTRIBUTES) wanted[sent] = said[field];
  for (const [sent, value] of Object.entries(wanted))
    if (value !== undefined)
      assert.equal(Buffer.from(found.headers[sent] ?? "", "latin1").toString(), value, `the ${sent} that was said`);
  const date = found.headers["x-amz-object-lock-retain-until-date"] ?? "";
  if (said.objectLock?.retainUntil !== undefined)
    // Some stores keep whole seconds.
    assert.ok(Math.abs(Date.parse(date) - Date.parse(said.objectLock.retainUntil)) < 1000, "the date of the lock");
  assert.deepEqual(found.tags, { ...said.tags }, "the tags that were said");
  if (said.acl === "public-read")
    assert.ok(
      found.grants.some((grant) => grant.includes("AllUsers")),
      "the access list",
    );
}

/** A class of one vendor's is none of another's, and one account's keys are not the other's. */
function elsewhere(expected: Seen, { isOneStore, can }: Ends): Seen {
  const { "x-amz-storage-class": storageClass, ...rest } = expected.headers;
  const headers = isOneStore || storageClass === undefined ? expected.headers : rest;
  if (headers["x-amz-server-side-encryption"]?.startsWith("aws:kms") !== true) return { ...expected, headers };
  const own = Object.entries(headers).filter(([sent]) => !sent.startsWith(SSE));
  // What the bucket there does by itself.
  const byDefault = can.encryptions.some(({ type }) => type === "AES256") ? { [SSE]: "AES256" } : {};
  return { ...expected, headers: { ...Object.fromEntries(own), ...byDefault } };
}

async function pinOf(s3: S3, bucket: string, key: string): Promise<Pin> {
  const found = await s3.head({ bucket, key }, call);
  const { etag, size, lastModified, storageClass, versionId, websiteRedirect = "", objectLock = null } = found;
  const version = versionId === undefined ? {} : { versionId };
  return { bucket, key, etag, size, lastModified, storageClass, websiteRedirect, objectLock, ...version };
}
