import { HttpProblem } from "../http/problem.ts";
import { createGlob } from "../../model/glob/create.ts";
import type { Scope } from "./rights.ts";
import type { Identity } from "./who.ts";

/** What a request is about. Without a bucket: the whole account, or buckets that nobody can tell beforehand. */
export type Touched = {
  readonly activity: string;
  readonly bucket?: string | undefined;
  readonly key?: string | undefined;
  /** Every object whose key starts so. */
  readonly prefix?: string | undefined;
};

/** A segment that a proxy may resolve: then the key is another one than was checked. */
const DOT_SEGMENT = /(?:^|\/)\.\.?(?:\/|$)/;

/** Throws 403 where an identity has a scope that does not cover everything that a request touches. */
export function checkScope(identity: Identity | undefined, touched: readonly Touched[]): void {
  const scope = identity?.scope;
  if (scope === undefined) return;
  const outside = touched.find((each) => !isInScope(scope, each));
  if (outside !== undefined) throw outOfScope(`${outside.activity} ${placeOf(outside)}`);
}

/** Throws 403 where an identity has a scope: the request is about everybody's things. */
export function refuseScoped(identity: Identity | undefined, what: string): void {
  if (identity?.scope !== undefined) throw outOfScope(what);
}

export function isInScope(scope: Scope, { activity, bucket, key, prefix }: Touched): boolean {
  const { activities, buckets, prefixes } = scope;
  if (activities !== undefined && !activities.includes(activity)) return false;
  if (bucket === undefined) return buckets === undefined && prefixes === undefined;
  if (buckets !== undefined && !buckets.some((pattern) => createGlob(pattern)(bucket))) return false;
  if (prefixes === undefined) return true;
  if (key === undefined && prefix === undefined) return activity === "head-bucket";
  const begins = (text: string) => prefixes.some((each) => text.startsWith(each));
  if (prefix !== undefined && (!begins(prefix) || DOT_SEGMENT.test(prefix))) return false;
  return key === undefined || (begins(key) && !DOT_SEGMENT.test(key));
}

function outOfScope(what: string): HttpProblem {
  return new HttpProblem(403, "OutOfScope", `the token is not for ${what}`);
}

function placeOf({ bucket, key, prefix }: Touched): string {
  if (bucket === undefined) return "on buckets that it cannot be limited to";
  if (key !== undefined) return `s3://${bucket}/${key}`;
  return prefix === undefined ? `on bucket ${bucket}` : `of s3://${bucket}/${prefix}*`;
}
