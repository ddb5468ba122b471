import { HeadObjectCommand, PutObjectCommand, type PutObjectCommandInput } from "@aws-sdk/client-s3";
import { ActivityError } from "../../model/activity-error.ts";
import type { Call } from "../interface.ts";
import { send } from "../transport/send.ts";
import type { Store } from "../store.ts";

/** What one probe found. `works`: as AWS does it; `ignored`: the store answered success and did not do it; `refused`: it said no. */
export type Finding = { readonly found: "works" | "ignored" | "refused"; readonly detail: string };

/** What a probe works with: raw requests, and keys that nobody else has. */
export type Ground = {
  readonly store: Store;
  readonly call: Call;
  readonly bucket: string;
  readonly prefix: string;
};

export type Probe = (ground: Ground) => Promise<Finding>;

export const works = (detail: string): Finding => ({ found: "works", detail });
export const ignored = (detail: string): Finding => ({ found: "ignored", detail });

export function refused(error: ActivityError): Finding {
  return { found: "refused", detail: `${error.httpStatus ?? ""} ${error.code}`.trim() };
}

/** The names of a key, for the SDK. */
export const at = ({ bucket, prefix }: Ground, name: string) => ({ Bucket: bucket, Key: prefix + name });

export const about = ({ bucket, prefix }: Ground, operation: string, name: string) => ({
  operation,
  bucket,
  key: prefix + name,
});

/** Writes an object of a few bytes and returns its ETag. */
export async function putSmall(
  ground: Ground,
  name: string,
  more: Omit<PutObjectCommandInput, "Bucket" | "Key"> = {},
): Promise<string> {
  const make = () => new PutObjectCommand({ ...at(ground, name), Body: `content of ${name}`, ...more });
  const { ETag = "" } = await send(ground.store, make, about(ground, "PutObject", name), ground.call);
  return ETag;
}

/** Whether an object is there. */
export async function isThere(ground: Ground, name: string): Promise<boolean> {
  try {
    await send(
      ground.store,
      () => new HeadObjectCommand(at(ground, name)),
      about(ground, "HeadObject", name),
      ground.call,
    );
    return true;
  } catch (error) {
    if (error instanceof ActivityError && error.httpStatus === 404) return false;
    throw error;
  }
}

/** What a request that asks for the impossible met: 412 is what AWS answers. */
export async function expectRefusal(request: () => Promise<unknown>): Promise<Finding> {
  try {
    await request();
  } catch (error) {
    if (error instanceof ActivityError && error.httpStatus === 412) return works(`412 ${error.code}`);
    throw error;
  }
  return ignored("a wrong condition was answered with success");
}
