import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { ActivityError } from "../../model/activity-error.ts";
import { copySource } from "../requests/copy-source.ts";
import { about, at, expectRefusal, type Finding, type Ground, ignored, isThere, putSmall, works } from "./answer.ts";
import { send } from "../transport/send.ts";

/** The form of an ETag that no probe's object has. */
const WRONG = `"${"0".repeat(32)}"`;

/** Each asks for something under a condition that does not hold, and then under one that does. */
export const conditionProbes = {
  "conditional-copy": async (ground: Ground): Promise<Finding> => {
    const etag = await putSmall(ground, "copy-source");
    const copy = (condition: string) => copyTo(ground, "copy", { CopySourceIfMatch: condition });
    const finding = await expectRefusal(() => copy(WRONG));
    await copy(etag);
    return finding;
  },

  "conditional-part-copy": async (ground: Ground): Promise<Finding> => {
    const etag = await putSmall(ground, "copy-source");
    const UploadId = await createUpload(ground, "part-copy");
    const copy = (CopySourceIfMatch: string) =>
      send(
        ground.store,
        () =>
          new UploadPartCopyCommand({
            ...at(ground, "part-copy"),
            UploadId,
            PartNumber: 1,
            CopySource: sourceOf(ground),
            CopySourceIfMatch,
          }),
        about(ground, "UploadPartCopy", "part-copy"),
        ground.call,
      );
    const finding = await expectRefusal(() => copy(WRONG));
    await copy(etag);
    return finding;
  },

  "conditional-delete": async (ground: Ground): Promise<Finding> => {
    const etag = await putSmall(ground, "delete");
    const remove = (IfMatch: string) =>
      send(
        ground.store,
        () => new DeleteObjectCommand({ ...at(ground, "delete"), IfMatch }),
        about(ground, "DeleteObject", "delete"),
        ground.call,
        { once: true },
      );
    const finding = await expectRefusal(() => remove(WRONG));
    if (finding.found !== "works") return finding;
    if (!(await isThere(ground, "delete"))) return ignored("412, but the object was deleted");
    await remove(etag);
    return (await isThere(ground, "delete"))
      ? ignored("204 to the right ETag, but the object is still there")
      : finding;
  },

  "conditional-bulk-delete": async (ground: Ground): Promise<Finding> => {
    const etag = await putSmall(ground, "bulk-delete");
    const wrong = await removeMany(ground, "bulk-delete", WRONG);
    if (!(await isThere(ground, "bulk-delete"))) return ignored("an object with another ETag was deleted");
    if (wrong !== "PreconditionFailed") return ignored(`the key was kept and reported as ${wrong ?? "deleted"}`);
    const right = await removeMany(ground, "bulk-delete", etag);
    return right === undefined ? works(`${wrong} for the key`) : ignored(`${right} for a key with the right ETag`);
  },

  "conditional-write": async (ground: Ground): Promise<Finding> => {
    const etag = await putSmall(ground, "write");
    const [over, onto] = [
      await expectRefusal(() => putSmall(ground, "write", { IfNoneMatch: "*" })),
      await expectRefusal(() => putSmall(ground, "write", { IfMatch: WRONG })),
    ];
    if (over.found !== "works") return ignored("If-None-Match: * wrote over an object");
    if (onto.found !== "works") return ignored("If-Match wrote over another ETag");
    try {
      await putSmall(ground, "write", { IfMatch: etag });
    } catch (error) {
      if (!(error instanceof ActivityError) || error.httpStatus !== 412) throw error;
      return { found: "refused", detail: "If-Match was refused with the right ETag" };
    }
    return over;
  },

  "conditional-copy-write": async (ground: Ground): Promise<Finding> => {
    await putSmall(ground, "copy-source");
    await putSmall(ground, "copy-write");
    return await expectRefusal(() => copyTo(ground, "copy-write", { IfNoneMatch: "*" }));
  },

  "conditional-multipart-write": async (ground: Ground): Promise<Finding> => {
    await putSmall(ground, "multipart-write");
    const UploadId = await createUpload(ground, "multipart-write");
    const part = { ...at(ground, "multipart-write"), UploadId, PartNumber: 1 };
    const { ETag } = await send(
      ground.store,
      () => new UploadPartCommand({ ...part, Body: "the only part" }),
      about(ground, "UploadPart", "multipart-write"),
      ground.call,
    );
    const parts = { MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] }, IfNoneMatch: "*" };
    return await expectRefusal(() =>
      send(
        ground.store,
        () => new CompleteMultipartUploadCommand({ ...at(ground, "multipart-write"), UploadId, ...parts }),
        about(ground, "CompleteMultipartUpload", "multipart-write"),
        ground.call,
        { once: true },
      ),
    );
  },
};

function sourceOf({ bucket, prefix }: Ground): string {
  return copySource({ bucket, key: `${prefix}copy-source` });
}

function copyTo(ground: Ground, name: string, condition: { CopySourceIfMatch?: string; IfNoneMatch?: string }) {
  const make = () => new CopyObjectCommand({ ...at(ground, name), CopySource: sourceOf(ground), ...condition });
  return send(ground.store, make, about(ground, "CopyObject", name), ground.call);
}

async function createUpload(ground: Ground, name: string): Promise<string | undefined> {
  const make = () => new CreateMultipartUploadCommand(at(ground, name));
  return (await send(ground.store, make, about(ground, "CreateMultipartUpload", name), ground.call)).UploadId;
}

/** The code that the key was answered with; `undefined` where it counts as deleted. */
async function removeMany(ground: Ground, name: string, ETag: string): Promise<string | undefined> {
  const { Bucket, Key } = at(ground, name);
  const make = () => new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key, ETag }] } });
  const answer = await send(ground.store, make, about(ground, "DeleteObjects", name), ground.call, { once: true });
  return answer.Errors?.[0]?.Code;
}
