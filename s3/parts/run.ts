import { PutObjectCommand, type ServiceInputTypes, type ServiceOutputTypes } from "@aws-sdk/client-s3";
import { type About, unproven } from "../error-mapping.ts";
import { unquoteEtag } from "../../model/etag.ts";
import type { PutRequest } from "../proof/put.ts";
import { retryPart } from "./retry.ts";
import { type S3Command, send } from "../transport/send.ts";
import type { StoreBase } from "../options.ts";
import type { Store } from "../store.ts";
import type { UploadBody } from "./upload-body.ts";

/** One upload in parts, as it runs. */
export type PartsRun = {
  readonly store: Store;
  readonly request: PutRequest;
  readonly region: string;
  readonly partSize: number;
  readonly body: UploadBody;
  /** Ends all parts with the first that fails. */
  readonly controller: AbortController;
};

/** Sends one command of an upload: a part again where only it met trouble. */
export async function sendPart<Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
  { store, request, region, partSize, controller }: PartsRun,
  command: S3Command<Input, Output>,
): Promise<Output> {
  const { bucket, key } = request;
  const about: About = { operation: operationOf(command), bucket, key };
  const { signal } = controller;
  const part = about.operation === "UploadPart";
  const timeoutMs = part
    ? partTimeout(store, partSize)
    : command instanceof PutObjectCommand
      ? store.settings.copyTimeoutMs
      : undefined;
  const limits = { region, ...(timeoutMs !== undefined && { timeoutMs }), ...(part && { bytes: partSize }) };
  const run = async (): Promise<Output> => {
    const output = await send(store, () => command, about, { signal }, limits);
    // S3 sends 200 first and may fail afterwards; without an ETag nothing was completed, and the parts have to go. A part without one was not taken.
    if ((part || about.operation === "CompleteMultipartUpload") && !hasEtag(output))
      throw unproven(about, part ? "the part's ETag" : "the object's ETag", 200);
    return output;
  };
  return part ? await retryPart(run, signal) : await run();
}

function hasEtag(output: object): boolean {
  return "ETag" in output && typeof output.ETag === "string" && unquoteEtag(output.ETag) !== "";
}

/** The time of any answer, and what the bytes need at 256 KiB/s. */
export function partTimeout({ settings }: Pick<StoreBase, "settings">, bytes: number): number {
  return settings.requestTimeoutMs + Math.ceil(bytes / 256);
}

function operationOf(command: object): string {
  return command.constructor.name.replace(/Command$/, "");
}
