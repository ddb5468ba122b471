import crypto from "node:crypto";
import { S3Error } from "../../http/s3-error.ts";

/** Where a listing goes on: after a key, or after everything under a common prefix. */
export type ListingPosition = { key: string; wholePrefix?: boolean };

/** Opaque to clients, as on S3. */
export function writeToken(position: ListingPosition): string {
  const text = `${position.wholePrefix ? "p" : "k"}${position.key}`;
  return Buffer.from(`${crypto.hash("md5", text).slice(0, 8)}${text}`).toString("base64");
}

/** @throws S3Error InvalidArgument for a token that was not issued here */
export function readToken(token: string): ListingPosition {
  const text = Buffer.from(token, "base64").toString("utf8");
  const position = text.slice(8);
  if (crypto.hash("md5", position).slice(0, 8) !== text.slice(0, 8)) {
    throw new S3Error("InvalidArgument", "The continuation token provided is incorrect", {
      elements: { ArgumentName: "continuation-token" },
    });
  }
  return position.startsWith("p") ? { key: position.slice(1), wholePrefix: true } : { key: position.slice(1) };
}
