import crypto, { createHmac, timingSafeEqual } from "node:crypto";
import { decodePercent, header, type Call } from "../http/call.ts";
import { S3Error } from "../http/s3-error.ts";

/** The parts of a SigV4 signature, from the Authorization header or a presigned URL. */
export type Signature = {
  accessKeyId: string;
  date: string;
  region: string;
  service: string;
  signedHeaders: readonly string[];
  signature: string;
  /** `yyyymmddThhmmssZ`. */
  timestamp: string;
  sessionToken: string | undefined;
  payloadHash: string;
  /** Seconds, presigned URLs only. */
  expires?: number;
};

const HEADER =
  /^AWS4-HMAC-SHA256 Credential=([^/,]+)\/(\d{8})\/([^/,]+)\/([^/,]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;

/** Reads the signature of a request; undefined for an anonymous one. */
export function readSignature(call: Call): Signature | undefined {
  const authorization = header(call, "authorization");
  if (authorization !== undefined) return readHeader(call, authorization);
  return call.query.has("X-Amz-Algorithm") ? readPresigned(call) : undefined;
}

function readHeader(call: Call, authorization: string): Signature {
  const match = HEADER.exec(authorization);
  const timestamp = header(call, "x-amz-date");
  if (match === null || timestamp === undefined) {
    throw new S3Error(
      "AuthorizationHeaderMalformed",
      "The authorization header is malformed; expected AWS4-HMAC-SHA256 with Credential, SignedHeaders and Signature, and x-amz-date.",
    );
  }
  const payloadHash = header(call, "x-amz-content-sha256");
  if (payloadHash === undefined && match[4] === "s3") {
    throw new S3Error("InvalidRequest", "Missing required header for this request: x-amz-content-sha256");
  }
  return {
    accessKeyId: match[1]!,
    date: match[2]!,
    region: match[3]!,
    service: match[4]!,
    signedHeaders: match[5]!.split(";"),
    signature: match[6]!,
    timestamp,
    sessionToken: header(call, "x-amz-security-token"),
    payloadHash: payloadHash ?? "",
  };
}

function readPresigned({ query }: Call): Signature {
  const scope = query.get("X-Amz-Credential")?.split("/");
  const [timestamp, signature, headers, expires] = [
    "X-Amz-Date",
    "X-Amz-Signature",
    "X-Amz-SignedHeaders",
    "X-Amz-Expires",
  ].map((name) => query.get(name));
  if (
    scope?.length !== 5 ||
    !timestamp ||
    !signature ||
    !headers ||
    !expires ||
    query.get("X-Amz-Algorithm") !== "AWS4-HMAC-SHA256"
  ) {
    throw new S3Error(
      "AuthorizationQueryParametersError",
      "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
    );
  }
  if (!(Number(expires) >= 1 && Number(expires) <= 604_800)) {
    // https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
    throw new S3Error(
      "AuthorizationQueryParametersError",
      "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
    );
  }
  return {
    accessKeyId: scope[0]!,
    date: scope[1]!,
    region: scope[2]!,
    service: scope[3]!,
    signedHeaders: headers.split(";"),
    signature,
    timestamp,
    sessionToken: query.get("X-Amz-Security-Token"),
    payloadHash: query.get("X-Amz-Content-Sha256") ?? "UNSIGNED-PAYLOAD",
    expires: Number(expires),
  };
}

/** The time of a signature in milliseconds, or NaN. */
export function signedAt({ timestamp }: Signature): number {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(timestamp);
  if (match === null) return Number.NaN;
  const [, year, month, day, hour, minute, second] = match;
  return Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
}

/** @throws S3Error SignatureDoesNotMatch, with what the server calculated, as AWS reports it */
export function verifySignature(call: Call, signature: Signature, secretAccessKey: string): void {
  const scope = scopeOf(signature);
  const canonical = canonicalRequest(call, signature);
  const text = `AWS4-HMAC-SHA256\n${signature.timestamp}\n${scope}\n${crypto.hash("sha256", Buffer.from(canonical, "latin1"))}`;
  const expected = createHmac("sha256", signingKey(secretAccessKey, signature)).update(text).digest();
  const given = Buffer.from(signature.signature, "hex");
  if (given.length === expected.length && timingSafeEqual(given, expected)) return;
  throw new S3Error(
    "SignatureDoesNotMatch",
    "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    {
      elements: {
        AWSAccessKeyId: signature.accessKeyId,
        StringToSign: text,
        SignatureProvided: signature.signature,
        CanonicalRequest: Buffer.from(canonical, "latin1").toString("utf8"),
      },
    },
  );
}

export function scopeOf({ date, region, service }: Signature): string {
  return `${date}/${region}/${service}/aws4_request`;
}

type SigningScope = Pick<Signature, "date" | "region" | "service">;

const keys = new Map<string, Buffer>();

/** The key of a day, region and service; cached, for it costs four HMACs. */
export function signingKey(secretAccessKey: string, { date, region, service }: SigningScope): Buffer {
  const name = `${secretAccessKey} ${date}/${region}/${service}`;
  const cached = keys.get(name);
  if (cached !== undefined) return cached;
  if (keys.size > 100) keys.clear();
  let key = createHmac("sha256", `AWS4${secretAccessKey}`).update(date).digest();
  for (const part of [region, service, "aws4_request"]) key = createHmac("sha256", key).update(part).digest();
  keys.set(name, key);
  return key;
}

// Node gives headers as Latin-1, a character a byte: what was signed are those bytes. The rest of it is ASCII.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
function canonicalRequest(call: Call, signature: Signature): string {
  let headers = "";
  for (const name of signature.signedHeaders) {
    const value = header(call, name) ?? "";
    headers += `${name}:${trimmed(value.includes("  ") ? value.replace(/ +/g, " ") : value)}\n`;
  }
  const query = call.rawQuery === "" ? "" : canonicalQuery(call.query, signature.expires !== undefined);
  return `${call.method}\n${canonicalPath(call.rawPath)}\n${query}\n${headers}\n${signature.signedHeaders.join(";")}\n${signature.payloadHash}`;
}

const PLAIN_PATH = /^[A-Za-z0-9\-._~/]*$/;

/** S3 encodes the path once, from the decoded bytes, whatever the client sent. */
function canonicalPath(rawPath: string): string {
  return PLAIN_PATH.test(rawPath) ? rawPath : encode(decodePercent(rawPath)).replaceAll("%2F", "/");
}

function canonicalQuery(query: ReadonlyMap<string, string>, presigned: boolean): string {
  const pairs: string[] = [];
  for (const [name, value] of query) {
    if (presigned && name === "X-Amz-Signature") continue;
    pairs.push(`${encode(name)}=${encode(value)}`);
  }
  return pairs.toSorted().join("&");
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (found) => `%${found.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Without spaces and tabs at its ends, which are no part of a header. A byte that Latin-1 calls a space may be the last of a UTF-8 character. */
function trimmed(value: string): string {
  return value.replace(/^[ \t]+/, "").replace(/[ \t]+$/, "");
}
