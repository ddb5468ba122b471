import { AbortMultipartUploadCommand, ListMultipartUploadsCommand, ListPartsCommand } from "@aws-sdk/client-s3";
import { unproven } from "../error-mapping.ts";
import { type Ask, orNothing, type OwnCall } from "./ask.ts";

export type ListedUpload = { readonly key: string; readonly uploadId: string; readonly initiated: number };

/** Uploads in parts that are under way, or were left by a writer that died. */
export async function* listUploads(ask: Ask, prefix: string, call: OwnCall): AsyncGenerator<ListedUpload> {
  const about = { operation: "ListMultipartUploads" };
  let next: { KeyMarker: string; UploadIdMarker: string } | undefined;
  do {
    const make = () => new ListMultipartUploadsCommand({ ...ask.at, Prefix: prefix, ...next });
    const page = await ask.send("list uploads", make, about, call);
    if (page.Bucket !== ask.bucket) throw unproven({ ...about, bucket: ask.bucket }, `a listing of ${ask.bucket}`, 200);
    for (const { Key: key, UploadId: uploadId, Initiated: time } of page.Uploads ?? [])
      if (key !== undefined && uploadId !== undefined && time !== undefined)
        yield { key, uploadId, initiated: time.getTime() };
    const { NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page;
    next = page.IsTruncated && KeyMarker && UploadIdMarker ? { KeyMarker, UploadIdMarker } : undefined;
  } while (next !== undefined);
}

/** When an upload's newest part came; `undefined` where it has none, or is gone. */
export async function newestPart(ask: Ask, key: string, uploadId: string, call: OwnCall): Promise<number | undefined> {
  const upload = { ...ask.at, Key: key, UploadId: uploadId };
  let newest: number | undefined;
  let marker: string | undefined;
  do {
    const make = () => new ListPartsCommand({ ...upload, ...(marker && { PartNumberMarker: marker }) });
    const page = await orNothing(ask.send("list parts", make, { operation: "ListParts", key }, call));
    for (const { LastModified: time } of page?.Parts ?? [])
      if (time !== undefined) newest = Math.max(newest ?? 0, time.getTime());
    marker = page?.IsTruncated === true ? page.NextPartNumberMarker : undefined;
  } while (marker !== undefined);
  return newest;
}

/** Already ended is as good. */
export async function abortUpload(ask: Ask, key: string, uploadId: string, call: OwnCall): Promise<void> {
  const make = () => new AbortMultipartUploadCommand({ ...ask.at, Key: key, UploadId: uploadId });
  await orNothing(ask.send("abort an upload", make, { operation: "AbortMultipartUpload", key }, call));
}
