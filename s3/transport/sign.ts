import crypto, { createHmac, createSecretKey, type KeyObject } from "node:crypto";
import type { AwsCredentialIdentity } from "@smithy/types";
import { LRUCache } from "lru-cache";

/** SHA-256 of no bytes: none of the requests signed here has a body. */
const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

export type SignRequest = {
  readonly method: string;
  readonly host: string;
  /** Encoded as it goes out, once: S3's canonical path is the path itself. */
  readonly path: string;
  /** Encoded and sorted, without `?`. */
  readonly query: string;
  /** Names in lower case. All are signed. */
  readonly headers: Readonly<Record<string, string>>;
  readonly region: string;
  readonly credentials: AwsCredentialIdentity;
};

/** Signs requests without a body. The signing key is derived once for each secret, day and region, which is most of the cost. */
export type Signer = (request: SignRequest) => Record<string, string>;

/** A store may say another region each time. */
const MAX_REGIONS = 64;

type CachedKey = { readonly secret: string; readonly day: string; readonly key: KeyObject };

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html */
export function createSigner(now: () => number = Date.now): Signer {
  const keys = new LRUCache<string, CachedKey>({ max: MAX_REGIONS });
  let second = 0;
  let timestamp = "";

  function stamp(): string {
    const current = Math.floor(now() / 1000);
    if (current !== second) {
      second = current;
      timestamp = `${new Date(current * 1000).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;
    }
    return timestamp;
  }

  // A KeyObject, because Node makes one of a Buffer for every HMAC, which takes seven times as long as the HMAC itself.
  function signingKey(secret: string, day: string, region: string): KeyObject {
    const known = keys.get(region);
    if (known !== undefined && known.secret === secret && known.day === day) return known.key;
    const key = createSecretKey(hmac(hmac(hmac(hmac(`AWS4${secret}`, day), region), "s3"), "aws4_request"));
    keys.set(region, { secret, day, key });
    return key;
  }

  return ({ method, host, path, query, headers, region, credentials }) => {
    const time = stamp();
    const day = time.slice(0, 8);
    const signed: Record<string, string> = {
      ...headers,
      host,
      "x-amz-content-sha256": EMPTY_SHA256,
      "x-amz-date": time,
    };
    if (credentials.sessionToken !== undefined) signed["x-amz-security-token"] = credentials.sessionToken;
    const names = Object.keys(signed).toSorted();
    const list = names.join(";");
    let canonical = `${method}\n${path}\n${query}\n`;
    for (const name of names) canonical += `${name}:${canonicalValue(signed[name] ?? "")}\n`;
    canonical += `\n${list}\n${EMPTY_SHA256}`;
    const scope = `${day}/${region}/s3/aws4_request`;
    const text = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${crypto.hash("sha256", canonical, "hex")}`;
    const signature = createHmac("sha256", signingKey(credentials.secretAccessKey, day, region))
      .update(text)
      .digest("hex");
    signed["authorization"] =
      `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${list}, Signature=${signature}`;
    return signed;
  };
}

function canonicalValue(value: string): string {
  const trimmed = value.trim();
  return trimmed.includes("  ") ? trimmed.replaceAll(/ +/g, " ") : trimmed;
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
