import { InvalidArgumentError } from "commander";
import { BucketName, ObjectKey } from "../model/entities.ts";

/** `s3://bucket/key`. The key is taken as it stands: nothing in it is decoded. */
export type S3Url = { readonly bucket: string; readonly key: string };

const BUCKET_ONLY = "expected s3://bucket, without a key";

/** Characters that make a key a pattern, unless `--literal` is given. */
const PATTERN = /[*?[{]/;

/** What is meant by a local path where a URL was expected, which is how other tools write it. */
const MEANT = {
  source: "; to upload a local file: bucketline put <file> s3://bucket/key",
  destination: "; to download an object: bucketline get s3://bucket/key <file>",
  nothing: "",
} as const;

/** A bucket, and what may follow it. Throws InvalidArgumentError, which commander turns into a usage error. */
export const s3Url = (text: string): S3Url => parse(text, "nothing");

/** As {@link s3Url}, for commands that other tools give local paths to. */
export const s3UrlAs = (end: "source" | "destination") => (text: string) => parse(text, end);

function parse(text: string, end: keyof typeof MEANT): S3Url {
  const [, bucket = "", key = ""] = /^s3:\/\/([^/]*)(?:\/(.*))?$/s.exec(text) ?? [];
  if (!text.startsWith("s3://")) throw new InvalidArgumentError(`expected s3://bucket/key${MEANT[end]}`);
  if (!BucketName.safeParse(bucket).success) throw new InvalidArgumentError("expected s3://bucket/key");
  return { bucket, key };
}

/** A bucket and nothing below it. */
export function bucketUrl(text: string): S3Url {
  const url = s3Url(text);
  if (url.key !== "") throw new InvalidArgumentError(BUCKET_ONLY);
  return url;
}

/** One object. */
export function objectUrl(text: string): S3Url {
  const url = s3Url(text);
  const parsed = ObjectKey.safeParse(url.key);
  if (!parsed.success) throw new InvalidArgumentError(parsed.error.issues[0]?.message ?? "expected a key");
  return url;
}

/** What a source stands for: one object, or all objects under a prefix, or those of them that match a pattern. */
export type Source =
  | { readonly kind: "object"; readonly bucket: string; readonly key: string }
  | { readonly kind: "many"; readonly bucket: string; readonly prefix: string; readonly include?: string };

type SourceOptions = { readonly literal?: true; readonly recursive?: true };

/** The URL of all that is below, as other tools mean it with `--recursive`. */
export function asFolder({ bucket, key }: S3Url): S3Url {
  return { bucket, key: key === "" || key.endsWith("/") || PATTERN.test(key) ? key : `${key}/` };
}

/** A key that ends with a slash, or none at all, is a prefix; `*`, `?`, `[` and `{` make a pattern, read from the last slash before them. */
export function sourceOf(url: S3Url, { literal, recursive }: SourceOptions): Source {
  const { bucket, key } = recursive ? asFolder(url) : url;
  const at = literal ? -1 : key.search(PATTERN);
  if (at !== -1) {
    const prefix = key.slice(0, key.lastIndexOf("/", at) + 1);
    return { kind: "many", bucket, prefix, include: key.slice(prefix.length) };
  }
  if (!literal && (key === "" || key.endsWith("/"))) return { kind: "many", bucket, prefix: key };
  return { kind: "object", bucket, key };
}

/** Where one object goes: into a bucket or a prefix it keeps the last part of its key. */
export function targetOf(source: { readonly key: string }, { bucket, key }: S3Url): S3Url {
  if (key !== "" && !key.endsWith("/")) return { bucket, key };
  return { bucket, key: key + lastPart(source.key) };
}

/** `c` of `a/b/c`, `b/` of `a/b/`. */
export function lastPart(key: string): string {
  return key.slice(key.lastIndexOf("/", key.length - 2) + 1);
}

export const shown = ({ bucket, key }: S3Url): string => `s3://${bucket}/${key}`;
