import { randomUUID } from "node:crypto";
import { DeleteObjectsCommand, GetObjectCommand, HeadObjectCommand } from "@aws-sdk/client-s3";
import { ActivityError } from "../../model/activity-error.ts";
import { about, at, type Finding, type Ground, ignored, isThere, putSmall, works } from "./answer.ts";
import { listPage } from "../requests/listings/page.ts";
import { unquoteEtag } from "../../model/etag.ts";
import { send } from "../transport/send.ts";

/** As long as keys may be. https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
const KEY_BYTES = 1024;
/** What user metadata may have in names and values. https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html */
const METADATA_BYTES = 2048;

/** What stores do in ways of their own, each found out by doing it. */
export const quirkProbes = {
  "bulk-delete": async (ground: Ground): Promise<Finding> => {
    await putSmall(ground, "bulk");
    const { Bucket, Key } = at(ground, "bulk");
    const make = () => new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key }] } });
    await send(ground.store, make, about(ground, "DeleteObjects", "bulk"), ground.call, { once: true });
    return (await isThere(ground, "bulk"))
      ? ignored("success, and the object is still there")
      : works("by its checksum");
  },

  "head-etags": async (ground: Ground): Promise<Finding> => {
    const written = await putSmall(ground, "etag");
    const head = await headOf(ground, "etag");
    if (unquoteEtag(head.ETag ?? "") === "") return ignored("HEAD tells no ETag");
    return unquoteEtag(head.ETag ?? "") === unquoteEtag(written)
      ? works("as the write told")
      : ignored("HEAD tells another");
  },

  "etags-tell-content": async (ground: Ground): Promise<Finding> => {
    const one = await putSmall(ground, "etag-one");
    const other = await putSmall(ground, "etag-other");
    return one === other ? ignored("two contents have one ETag") : works("another content, another ETag");
  },

  "version-ids": async (ground: Ground): Promise<Finding> => {
    await putSmall(ground, "version");
    try {
      await headOf(ground, "version", { VersionId: `no-version-${randomUUID().slice(0, 8)}` });
    } catch (error) {
      if (error instanceof ActivityError && (error.httpStatus === 404 || error.httpStatus === 400))
        return works(`${error.httpStatus} for one that is not there`);
      throw error;
    }
    return ignored("a version that is not there was answered with the current one");
  },

  ranges: async (ground: Ground): Promise<Finding> => {
    await putSmall(ground, "range");
    const make = () => new GetObjectCommand({ ...at(ground, "range"), Range: "bytes=0-2" });
    const { Body, ContentRange } = await send(ground.store, make, about(ground, "GetObject", "range"), ground.call);
    const bytes = await Body?.transformToByteArray();
    return bytes?.length === 3 && ContentRange !== undefined ? works("three bytes of more") : ignored("the whole came");
  },

  "prefix-listing": async (ground: Ground): Promise<Finding> => {
    await putSmall(ground, "listed-a");
    await putSmall(ground, "listed-b");
    try {
      const prefix = `${ground.prefix}listed-b`;
      const { objects } = await listPage(ground.store, { bucket: ground.bucket, prefix }, ground.call);
      return objects.length === 1 ? works("only keys of the prefix") : ignored(`${objects.length} keys instead of one`);
    } catch (error) {
      if (error instanceof ActivityError && error.code === "PrefixIgnored") return ignored("keys of others are listed");
      throw error;
    }
  },

  "names-by-case": (ground: Ground) => apart(ground, "Case-Folded", "case-folded"),
  "names-by-slashes": (ground: Ground) => apart(ground, "slash//es", "slash/es"),
  "names-by-unicode": (ground: Ground) => apart(ground, "unicode-\u00e9", "unicode-e\u0301"),

  "key-length": async (ground: Ground): Promise<Finding> => {
    const name = "k".repeat(KEY_BYTES - Buffer.byteLength(ground.prefix));
    await putSmall(ground, name);
    return (await isThere(ground, name)) ? works("1,024 bytes") : ignored("a key of 1,024 bytes is not found again");
  },

  "metadata-size": async (ground: Ground): Promise<Finding> => {
    const text = "m".repeat(METADATA_BYTES - "text".length);
    await putSmall(ground, "metadata-size", { Metadata: { text } });
    const { Metadata } = await headOf(ground, "metadata-size");
    return Metadata?.["text"] === text ? works("2,048 bytes") : ignored("2,048 bytes do not come back whole");
  },
};

/** Whether two names are two objects. */
async function apart(ground: Ground, one: string, other: string): Promise<Finding> {
  await putSmall(ground, one);
  return (await isThere(ground, other))
    ? ignored(`${one} and ${other} name one object`)
    : works("two names, two objects");
}

function headOf(ground: Ground, name: string, more: { readonly VersionId?: string } = {}) {
  const make = () => new HeadObjectCommand({ ...at(ground, name), ...more });
  return send(ground.store, make, about(ground, "HeadObject", name), ground.call);
}
