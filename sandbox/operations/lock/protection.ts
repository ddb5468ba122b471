import { accessDenied, mayAlso } from "../../auth/access.ts";
import { header, type Call } from "../../http/call.ts";
import { checksumHeader, ALGORITHMS } from "../../storage/checksum.ts";
import { invalidArgument, S3Error } from "../../http/s3-error.ts";
import type { Bucket } from "../../storage/bucket.ts";
import type { DefaultRetention } from "../../storage/bucket-settings.ts";
import type { Retention, StoredObject } from "../../storage/stored-object.ts";

const DAY = 24 * 60 * 60 * 1000;

/** What Object Lock keeps of a new object. */
export type Protection = Pick<StoredObject, "retention" | "legalHold">;

/**
 * What a write says about Object Lock, completed by the bucket's default.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-configure.html
 *
 * @throws S3Error InvalidRequest (no Object Lock there), InvalidArgument
 */
export function requestedProtection(call: Call, bucket: Bucket): Protection {
  const { lock } = bucket.settings;
  const mode = header(call, "x-amz-object-lock-mode");
  const date = header(call, "x-amz-object-lock-retain-until-date");
  const hold = header(call, "x-amz-object-lock-legal-hold");
  const asked = mode !== undefined || date !== undefined || hold !== undefined;
  if (lock === undefined) {
    if (asked) throw new S3Error("InvalidRequest", "Bucket is missing Object Lock Configuration");
    return {};
  }
  const protection: Protection = {};
  const retention = readRetention(mode, date) ?? defaultRetention(lock.retention);
  if (retention !== undefined) protection.retention = retention;
  if (hold !== undefined) {
    if (hold !== "ON" && hold !== "OFF")
      throw invalidArgument("x-amz-object-lock-legal-hold", hold, "Legal Hold must be either of 'ON' or 'OFF'");
    protection.legalHold = hold === "ON";
  }
  return protection;
}

/** AWS wants proof of what it locks. @throws S3Error InvalidRequest */
export function demandDigest(call: Call, bucket: Bucket, protection: Protection): void {
  if (protection.retention === undefined && protection.legalHold === undefined) return;
  const hasDigest =
    header(call, "content-md5") !== undefined ||
    header(call, "x-amz-trailer") !== undefined ||
    ALGORITHMS.some((algorithm) => header(call, checksumHeader(algorithm)) !== undefined);
  if (hasDigest) return;
  const what =
    bucket.settings.lock?.retention === undefined
      ? "requests with Object Lock parameters"
      : "requests with Object Lock parameters or to a bucket with a retention period";
  throw new S3Error("InvalidRequest", `Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object ${what}`);
}

function readRetention(mode: string | undefined, date: string | undefined): Retention | undefined {
  if (mode === undefined && date === undefined) return undefined;
  if (mode === undefined || date === undefined) {
    throw new S3Error(
      "InvalidArgument",
      "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
    );
  }
  if (mode !== "GOVERNANCE" && mode !== "COMPLIANCE")
    throw invalidArgument("x-amz-object-lock-mode", mode, "Unknown wormMode directive.");
  return { mode, until: futureDate(date, "x-amz-object-lock-retain-until-date") };
}

/** A moment to come, in milliseconds. @throws S3Error InvalidArgument */
export function futureDate(text: string, name: string): number {
  const until = Date.parse(text);
  if (Number.isNaN(until))
    throw invalidArgument(name, text, "The retain until date must be provided in ISO 8601 format");
  if (until <= Date.now()) throw invalidArgument(name, text, "The retain until date must be in the future!");
  return until;
}

function defaultRetention(retention: DefaultRetention | undefined): Retention | undefined {
  if (retention === undefined) return undefined;
  const { mode, days, years } = retention;
  return { mode, until: Date.now() + (days ?? (years ?? 0) * 365) * DAY };
}

/** Refuses to remove a version that is locked. @throws S3Error AccessDenied */
export function checkUnlocked(call: Call, bucket: Bucket, object: StoredObject | undefined): void {
  if (object === undefined || (object.retention === undefined && !object.legalHold)) return;
  const { retention, legalHold } = object;
  const kept = retention !== undefined && retention.until > Date.now();
  if (!legalHold && (!kept || (retention.mode === "GOVERNANCE" && bypassesGovernance(call, bucket)))) return;
  throw new S3Error("AccessDenied", "Access Denied because object protected by object lock.");
}

/** Whether the call says so and may. @throws S3Error AccessDenied when it says so and may not */
export function bypassesGovernance(call: Call, bucket: Bucket): boolean {
  if (header(call, "x-amz-bypass-governance-retention")?.toLowerCase() !== "true") return false;
  if (!mayAlso(call, bucket, "s3:BypassGovernanceRetention")) throw accessDenied();
  return true;
}

/** What answers to reads say about an object's lock. */
export function lockHeaders({ retention, legalHold }: StoredObject): string[] {
  const headers: string[] = [];
  if (retention !== undefined)
    headers.push(
      "x-amz-object-lock-mode",
      retention.mode,
      "x-amz-object-lock-retain-until-date",
      new Date(retention.until).toISOString(),
    );
  if (legalHold !== undefined) headers.push("x-amz-object-lock-legal-hold", legalHold ? "ON" : "OFF");
  return headers;
}
