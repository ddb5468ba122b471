import { fileURLToPath } from "node:url";
import { z } from "zod";
import { ActivityError } from "../model/activity-error.ts";
import { BucketName, ProfileName } from "../model/entities.ts";

/** Where a store is, as its URL says. */
export type Location =
  | { readonly scheme: "file"; readonly folder: string }
  | { readonly scheme: "s3"; readonly bucket: string; readonly prefix: string; readonly profile: string | undefined };

/** Safe in a key, a path and a URL alike, so that no listing needs decoding. */
const PREFIX = /^(?:[A-Za-z0-9!_.*'()-]+\/)*$/;

/** A URL that {@link locationOf} takes, checked where it is given rather than when the first document is read. */
export const DocumentsUrl = z.string().superRefine((url, context) => {
  const found = read(url);
  if ("expected" in found) context.addIssue({ code: "custom", message: found.expected });
});

/** Reads `file:///dir` or `s3://bucket/prefix?profile=name`. Throws `InvalidConfiguration`, which never repeats the URL. */
export function locationOf(url: string): Location {
  const found = read(url);
  if (!("expected" in found)) return found;
  const message = `the documents URL (DOCUMENTS_URL) is not valid: ${found.expected}`;
  throw new ActivityError("InvalidConfiguration", message);
}

type Wrong = { readonly expected: string };

function read(url: string): Location | Wrong {
  const scheme = /^([a-z0-9]+):\/\//.exec(url)?.[1];
  if (scheme === "file") return folderOf(url);
  if (scheme === "s3") return bucketOf(url);
  return { expected: "expected file:///directory or s3://bucket/prefix?profile=name" };
}

/** Three slashes: `file://dir` names a host, and `file:dir` silently means the root of the file system. */
function folderOf(url: string): Location | Wrong {
  if (!/^file:\/\/\/[^?#]+$/.test(url)) return { expected: "expected file:/// and an absolute path, without ? or #" };
  try {
    return { scheme: "file", folder: fileURLToPath(url) };
  } catch {
    return { expected: "expected a path with well-formed percent signs" };
  }
}

function bucketOf(url: string): Location | Wrong {
  // What was got is not told: somebody may have put a secret into it.
  const [, bucket = "", path = "", query = ""] = /^s3:\/\/([^/?#@:]*)(\/[^?#]*)?(?:\?([^#]*))?$/.exec(url) ?? [];
  if (!BucketName.safeParse(bucket).success) return { expected: "expected s3:// and the name of a bucket" };
  const prefix = path.replace(/^\//, "").replace(/([^/])$/, "$1/");
  if (!PREFIX.test(prefix) || prefix.split("/").some((part) => part === "." || part === ".."))
    return { expected: "expected a prefix of letters, digits and !_.*'()- between single slashes" };
  const parameters = new URLSearchParams(query);
  const profile = parameters.get("profile") ?? undefined;
  if ([...parameters.keys()].some((name) => name !== "profile") || parameters.size > 1)
    return { expected: "expected no parameter but one profile" };
  if (profile !== undefined && !ProfileName.safeParse(profile).success)
    return { expected: "expected a profile's name" };
  return { scheme: "s3", bucket, prefix, profile };
}
