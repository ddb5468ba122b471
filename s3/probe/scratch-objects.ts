import {
  AbortMultipartUploadCommand,
  GetBucketVersioningCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsOutput,
  ListObjectVersionsCommand,
  type ListObjectVersionsOutput,
  PutBucketVersioningCommand,
} from "@aws-sdk/client-s3";
import { ActivityError } from "../../model/activity-error.ts";
import type { Connection } from "../../credentials/connection.ts";
import { nameOf } from "../error-mapping.ts";
import { deleteMany } from "../requests/delete-many.ts";
import { listPage } from "../requests/listings/page.ts";
import type { Call, DeleteItem } from "../interface.ts";
import { send } from "../transport/send.ts";
import { createStore, type Store } from "../store.ts";

/** What a probe or a check made, all of it under one prefix; an empty prefix means the whole bucket. */
export type Scratch = { readonly bucket: string; readonly prefix: string };

/** Removes every object, version and unfinished upload under a prefix. Throws the first key's error where one cannot be removed. */
export async function removeScratch(connection: Connection, scratch: Scratch, call: Call): Promise<void> {
  await withStore(connection, async (store) => {
    await abortUploads(store, scratch, call);
    await removeObjects(store, scratch, call);
    if (await keepsVersions(store, scratch.bucket, call)) await removeVersions(store, scratch, call);
  });
}

/** Turns versioning on. Throws the store's refusal. */
export async function enableVersioning(connection: Connection, bucket: string, call: Call): Promise<void> {
  const VersioningConfiguration = { Status: "Enabled" } as const;
  const make = () => new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration });
  await withStore(connection, (store) => send(store, make, { operation: "PutBucketVersioning", bucket }, call));
}

async function withStore<T>(connection: Connection, work: (store: Store) => Promise<T>): Promise<T> {
  const store = createStore(connection, { fastPath: false });
  try {
    return await work(store);
  } finally {
    store.clients.close();
  }
}

async function abortUploads(store: Store, { bucket, prefix }: Scratch, call: Call): Promise<void> {
  let marker: { readonly KeyMarker: string; readonly UploadIdMarker: string } | undefined;
  do {
    const make = () =>
      new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix, EncodingType: "url", ...marker });
    const about = { operation: "ListMultipartUploads", bucket };
    const page: ListMultipartUploadsOutput | undefined = await unlessMissing(send(store, make, about, call));
    if (page === undefined) return;
    for (const { Key, UploadId } of page.Uploads ?? []) {
      if (Key === undefined) continue;
      const key = page.EncodingType === "url" ? decode(Key) : Key;
      const abort = { operation: "AbortMultipartUpload", bucket, key };
      await send(store, () => new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId }), abort, call);
    }
    const { IsTruncated, NextKeyMarker = "", NextUploadIdMarker = "" } = page;
    marker =
      IsTruncated === true ? { KeyMarker: decode(NextKeyMarker), UploadIdMarker: NextUploadIdMarker } : undefined;
  } while (marker !== undefined);
}

async function removeObjects(store: Store, { bucket, prefix }: Scratch, call: Call): Promise<void> {
  let before = "";
  for (;;) {
    const { objects } = await listPage(store, { bucket, prefix }, call);
    if (objects.length === 0) return;
    const first = objects[0]?.key ?? "";
    // A store may list a key under another name than the one that deletes it.
    if (first === before) throw stays(bucket, first);
    before = first;
    await removeAll(
      store,
      bucket,
      objects.map(({ key }) => ({ key })),
      call,
    );
  }
}

async function keepsVersions(store: Store, bucket: string, call: Call): Promise<boolean> {
  const make = () => new GetBucketVersioningCommand({ Bucket: bucket });
  const asked = send(store, make, { operation: "GetBucketVersioning", bucket }, call);
  const { Status } = (await unlessMissing(asked)) ?? {};
  return Status === "Enabled" || Status === "Suspended";
}

async function removeVersions(store: Store, { bucket, prefix }: Scratch, call: Call): Promise<void> {
  let before = "";
  for (;;) {
    const make = () => new ListObjectVersionsCommand({ Bucket: bucket, Prefix: prefix, EncodingType: "url" });
    const page: ListObjectVersionsOutput = await send(store, make, { operation: "ListObjectVersions", bucket }, call);
    const items = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])].flatMap(
      ({ Key, VersionId }): DeleteItem[] => {
        if (Key === undefined || VersionId === undefined) return [];
        return [{ key: page.EncodingType === "url" ? decode(Key) : Key, versionId: VersionId }];
      },
    );
    const [first] = items;
    if (first === undefined) return;
    const name = `${first.key} version ${first.versionId ?? ""}`;
    if (name === before) throw stays(bucket, name);
    before = name;
    await removeAll(store, bucket, items, call);
  }
}

async function removeAll(store: Store, bucket: string, items: readonly DeleteItem[], call: Call): Promise<void> {
  for (let at = 0; at < items.length; at += 1000) {
    const outcomes = await deleteMany(store, { bucket, items: items.slice(at, at + 1000) }, call);
    for (const { error } of outcomes) if (error !== undefined) throw error;
  }
}

/** The answer, or `undefined` where the store has no such call: then there is nothing of the kind to remove. */
async function unlessMissing<Answer>(asked: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await asked;
  } catch (error) {
    const missing =
      error instanceof ActivityError &&
      (error.httpStatus === 501 || error.httpStatus === 405 || error.code === "NoSuchUpload");
    if (missing) return undefined;
    throw error;
  }
}

function stays(bucket: string, name: string): ActivityError {
  return new ActivityError(
    "VerificationFailed",
    `expected ${nameOf({ bucket, key: name })} to be gone, the store lists it again after its delete`,
  );
}

/** S3 encodes like a form: a space is `+`, a plus is `%2B`. */
function decode(text: string): string {
  return decodeURIComponent(text.replaceAll("+", " "));
}
