import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import {
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { ActivityError } from "../../model/activity-error.ts";
import { copySource } from "../requests/copy-source.ts";
import { about, at, type Finding, type Ground, ignored, putSmall, works } from "./answer.ts";
import { send } from "../transport/send.ts";
import { createStore } from "../store.ts";

const sha256 = (content: string) => createHash("sha256").update(content).digest("base64");

/** Each does a thing and looks whether it is done. */
export const featureProbes = {
  signatures: async (ground: Ground): Promise<Finding> => {
    const { connection } = ground.store;
    const credentials = async () => ({ ...(await connection.credentials()), secretAccessKey: "not the secret key" });
    const store = createStore({ ...connection, credentials }, { fastPath: false });
    try {
      await putSmall({ ...ground, store }, "wrongly-signed");
      return ignored("a wrong secret key was accepted");
    } catch (error) {
      if (error instanceof ActivityError && error.httpStatus === 403) return works(`403 ${error.code}`);
      throw error;
    } finally {
      store.clients.close();
    }
  },

  "part-copy": async (ground: Ground): Promise<Finding> => {
    await putSmall(ground, "copy-source");
    const make = () => new CreateMultipartUploadCommand(at(ground, "parts"));
    const { UploadId } = await send(ground.store, make, about(ground, "CreateMultipartUpload", "parts"), ground.call);
    const part = { ...at(ground, "parts"), UploadId, PartNumber: 1 };
    const CopySource = copySource({ bucket: ground.bucket, key: `${ground.prefix}copy-source` });
    const { CopyPartResult } = await send(
      ground.store,
      () => new UploadPartCopyCommand({ ...part, CopySource }),
      about(ground, "UploadPartCopy", "parts"),
      ground.call,
    );
    return CopyPartResult?.ETag ? works("a part with an ETag") : ignored("no ETag for the part");
  },

  "checksums-checked": async (ground: Ground): Promise<Finding> => {
    try {
      await putSmall(ground, "bad-checksum", { ChecksumSHA256: sha256("another content") });
    } catch (error) {
      if (error instanceof ActivityError && error.httpStatus === 400 && error.code !== "NotImplemented")
        return works(`400 ${error.code}`);
      throw error;
    }
    return ignored("a body with another SHA-256 was accepted");
  },

  "checksums-kept": async (ground: Ground): Promise<Finding> => {
    const ChecksumSHA256 = sha256("content of checksum");
    await putSmall(ground, "checksum", { ChecksumSHA256 });
    const make = () => new HeadObjectCommand({ ...at(ground, "checksum"), ChecksumMode: "ENABLED" });
    const answer = await send(ground.store, make, about(ground, "HeadObject", "checksum"), ground.call);
    return answer.ChecksumSHA256 === ChecksumSHA256 ? works("SHA-256 in HEAD") : ignored("HEAD tells no checksum");
  },

  "trailing-checksums": async (ground: Ground): Promise<Finding> => {
    const store = createStore({ ...ground.store.connection, checksums: "when-supported" }, { fastPath: false });
    const content = "a body whose checksum comes after it";
    try {
      // Without a hash of the body in advance the SDK sends it in chunks with a CRC-32 as trailer.
      const make = () =>
        new PutObjectCommand({
          ...at(ground, "trailer"),
          Body: Readable.from([content]),
          ContentLength: content.length,
        });
      await send(store, make, about(ground, "PutObject", "trailer"), ground.call, { once: true });
    } finally {
      store.clients.close();
    }
    const stored = await read(ground, "trailer");
    return stored === content ? works("a CRC-32 after the body") : ignored("the chunks' framing became content");
  },

  tags: async (ground: Ground): Promise<Finding> => {
    await putSmall(ground, "tags", { Tagging: "colour=dark%20red" });
    const make = () => new GetObjectTaggingCommand(at(ground, "tags"));
    const { TagSet = [] } = await send(ground.store, make, about(ground, "GetObjectTagging", "tags"), ground.call);
    const kept = TagSet.some(({ Key, Value }) => Key === "colour" && Value === "dark red");
    return kept ? works("written with the object, read back") : ignored("tags written with the object are gone");
  },

  versions: async ({ store, bucket, call }: Ground): Promise<Finding> => {
    const make = () => new GetBucketVersioningCommand({ Bucket: bucket });
    const { Status } = await send(store, make, { operation: "GetBucketVersioning", bucket }, call);
    return works(Status === undefined ? "off in this bucket" : `${Status.toLowerCase()} in this bucket`);
  },

  "url-encoded-listing": async (ground: Ground): Promise<Finding> => {
    const name = "line+ &%ü";
    const { Bucket, Key } = at(ground, name);
    await putSmall(ground, name);
    const make = () => new ListObjectsV2Command({ Bucket, Prefix: `${ground.prefix}line`, EncodingType: "url" });
    const answer = await send(ground.store, make, about(ground, "ListObjectsV2", "line"), ground.call);
    if (answer.EncodingType !== "url") return ignored("the answer does not say that it is encoded");
    const listed = decodeURIComponent((answer.Contents?.[0]?.Key ?? "").replaceAll("+", " "));
    return listed === Key ? works("asked for, and said so") : ignored("an encoded key is not the one that was written");
  },

  "storage-classes": async (ground: Ground): Promise<Finding> => {
    await putSmall(ground, "copy-source");
    const CopySource = copySource({ bucket: ground.bucket, key: `${ground.prefix}copy-source` });
    const StorageClass = "STANDARD_IA";
    await send(
      ground.store,
      () => new CopyObjectCommand({ ...at(ground, "class"), CopySource, StorageClass }),
      about(ground, "CopyObject", "class"),
      ground.call,
    );
    const make = () => new HeadObjectCommand(at(ground, "class"));
    const head = await send(ground.store, make, about(ground, "HeadObject", "class"), ground.call);
    return head.StorageClass === StorageClass ? works(StorageClass) : ignored(`${StorageClass} became STANDARD`);
  },

  encryption: async (ground: Ground): Promise<Finding> => {
    await putSmall(ground, "encrypted", { ServerSideEncryption: "AES256" });
    const make = () => new HeadObjectCommand(at(ground, "encrypted"));
    const head = await send(ground.store, make, about(ground, "HeadObject", "encrypted"), ground.call);
    return head.ServerSideEncryption === "AES256" ? works("AES256") : ignored("HEAD tells no encryption");
  },
};

async function read(ground: Ground, name: string): Promise<string> {
  const make = () => new GetObjectCommand(at(ground, name));
  const { Body } = await send(ground.store, make, about(ground, "GetObject", name), ground.call);
  // In Node the SDK's body is a Readable.
  return Body instanceof Readable ? await text(Body) : "";
}
