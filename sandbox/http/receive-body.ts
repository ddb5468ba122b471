import { createHash } from "node:crypto";
import { AwsChunkedDecoder } from "./aws-chunked.ts";
import { bytesBody, droppedBody, EMPTY_BODY, EMPTY_MD5, type Body } from "../storage/body.ts";
import { header, type Call } from "./call.ts";
import { ALGORITHMS, checksumHeader, createChecksum } from "../storage/checksum.ts";
import type { Crc } from "../storage/crc.ts";
import { MIB } from "../options.ts";
import { S3Error } from "./s3-error.ts";
import type { Checksum, ChecksumAlgorithm } from "../storage/stored-object.ts";

export const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** A body that arrived whole and agrees with every digest that came with it. */
export type ReceivedBody = { body: Body; md5: string; checksum?: Checksum };

/** Sink buckets keep bodies up to this size. */
const SINK_KEEPS = 64 * 1024;

/** Requests other than uploads carry small XML documents. */
const DOCUMENT_LIMIT = 2 * MIB;

export type ReceiveOptions = {
  sink: boolean;
  maxSize: number;
  contentMd5Required?: boolean | undefined;
  /** Whose checksums the headers carry. Default: those of the body. */
  checksums?: "of the body" | "of the object" | undefined;
};

/** Reads an upload and verifies Content-MD5, x-amz-content-sha256 and x-amz-checksum-* (header or trailer). */
export async function receiveBody(call: Call, options: ReceiveOptions): Promise<ReceivedBody> {
  if (options.contentMd5Required && header(call, "content-md5") === undefined) throw missingContentMd5();
  const expected = expectedLength(call);
  if (expected > options.maxSize) {
    throw new S3Error("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", {
      elements: { ProposedSize: String(expected), MaxSizeAllowed: String(options.maxSize) },
    });
  }
  const declared = options.checksums === "of the object" ? undefined : declaredChecksum(call);
  const sha256 = header(call, "x-amz-content-sha256") ?? "UNSIGNED-PAYLOAD";
  const collector = new BodyCollector(call, { drop: options.sink && expected > SINK_KEEPS, sha256, declared });
  await collector.collect();
  if (collector.size !== expected) {
    throw new S3Error(
      "IncompleteBody",
      "You did not provide the number of bytes specified by the Content-Length HTTP header",
    );
  }
  return collector.verified();
}

/** Reads a small body (an XML document or a form) and verifies its digests. */
export async function receiveDocument(
  call: Call,
  options: Pick<ReceiveOptions, "contentMd5Required" | "checksums"> = {},
): Promise<Buffer> {
  const { body } = await receiveBody(call, { ...options, sink: false, maxSize: DOCUMENT_LIMIT });
  return Buffer.concat(body.extents.map((extent) => (extent.kind === "bytes" ? extent.bytes : Buffer.alloc(0))));
}

/** Checks the payload hash of a request that should have no body. */
export function checkNoBody(call: Call): void {
  const sha256 = header(call, "x-amz-content-sha256");
  if (sha256 === undefined || sha256 === EMPTY_SHA256 || sha256 === "UNSIGNED-PAYLOAD") return;
  if (header(call, "content-length") === undefined && header(call, "transfer-encoding") === undefined)
    throw sha256Mismatch();
}

function expectedLength(call: Call): number {
  const decoded = header(call, "x-amz-decoded-content-length");
  if (isChunkSigned(call)) {
    if (decoded === undefined)
      throw new S3Error("MissingContentLength", "You must provide the Content-Length HTTP header.");
    return Number(decoded);
  }
  if (header(call, "transfer-encoding") !== undefined) {
    throw new S3Error("NotImplemented", "A header you provided implies functionality that is not implemented", {
      elements: { Header: "Transfer-Encoding" },
    });
  }
  const length = header(call, "content-length");
  if (length === undefined) {
    // GET-like requests have none; an upload must name its length.
    if (call.method === "PUT" && call.operation !== "CreateBucket") {
      throw new S3Error("MissingContentLength", "You must provide the Content-Length HTTP header.");
    }
    return 0;
  }
  return Number(length);
}

function isChunkSigned(call: Call): boolean {
  return (header(call, "x-amz-content-sha256") ?? "").startsWith("STREAMING-");
}

type DeclaredChecksum = { algorithm: ChecksumAlgorithm; value: string | undefined };

/** The checksum a client sends along or announces as a trailer. */
function declaredChecksum(call: Call): DeclaredChecksum | undefined {
  const found: DeclaredChecksum[] = [];
  const trailer = header(call, "x-amz-trailer")?.toLowerCase();
  for (const algorithm of ALGORITHMS) {
    const name = checksumHeader(algorithm);
    const value = header(call, name);
    if (value !== undefined) found.push({ algorithm, value });
    else if (trailer === name) found.push({ algorithm, value: undefined });
  }
  if (found.length > 1) {
    throw new S3Error(
      "InvalidRequest",
      "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
    );
  }
  const only = found[0];
  if (only?.value !== undefined && Buffer.from(only.value, "base64").length !== digestLength(only.algorithm)) {
    throw new S3Error("InvalidRequest", `Value for ${checksumHeader(only.algorithm)} header is invalid.`);
  }
  return only;
}

function digestLength(algorithm: ChecksumAlgorithm): number {
  return { CRC32: 4, CRC32C: 4, CRC64NVME: 8, SHA1: 20, SHA256: 32 }[algorithm];
}

/** Gathers one request's body. */
class BodyCollector {
  size = 0;
  readonly #call: Call;
  readonly #drop: boolean;
  readonly #chunks: Buffer[] = [];
  readonly #md5 = createHash("md5");
  readonly #sha256: { hash: ReturnType<typeof createHash>; expected: string } | undefined;
  readonly #declared: DeclaredChecksum | undefined;
  readonly #checksum: Crc | undefined;
  readonly #decoder: AwsChunkedDecoder | undefined;

  constructor(call: Call, options: { drop: boolean; sha256: string; declared: DeclaredChecksum | undefined }) {
    this.#call = call;
    this.#drop = options.drop;
    if (/^[0-9a-f]{64}$/.test(options.sha256)) this.#sha256 = { hash: createHash("sha256"), expected: options.sha256 };
    this.#declared = options.declared;
    this.#checksum = options.declared && createChecksum(options.declared.algorithm);
    if (isChunkSigned(call)) this.#decoder = new AwsChunkedDecoder((bytes) => this.#take(bytes), call.chunkSigning);
  }

  collect(): Promise<void> {
    const { request } = this.#call;
    this.#call.sendContinue();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    request.on("data", (chunk: Buffer) => {
      try {
        if (this.#decoder === undefined) this.#take(chunk);
        else this.#decoder.write(chunk);
      } catch (error) {
        request.removeAllListeners("data").resume();
        reject(error);
      }
    });
    request.on("end", () => {
      try {
        this.#decoder?.end();
        resolve();
      } catch (error) {
        reject(error);
      }
    });
    request.on("close", () =>
      reject(new S3Error("IncompleteBody", "The client went away before its request was complete")),
    );
    return promise;
  }

  verified(): ReceivedBody {
    if (this.#sha256 !== undefined && this.#sha256.hash.digest("hex") !== this.#sha256.expected) throw sha256Mismatch();
    const md5 = this.size === 0 ? EMPTY_MD5 : this.#md5.digest("hex");
    this.#checkMd5(md5);
    const checksum = this.#verifiedChecksum();
    const body = this.#body();
    return checksum === undefined ? { body, md5 } : { body, md5, checksum };
  }

  #take(bytes: Buffer): void {
    this.size += bytes.length;
    this.#md5.update(bytes);
    this.#sha256?.hash.update(bytes);
    this.#checksum?.update(bytes);
    // A small slice would keep its whole receive buffer alive.
    if (!this.#drop) this.#chunks.push(bytes.length * 2 < bytes.buffer.byteLength ? Buffer.from(bytes) : bytes);
  }

  #body(): Body {
    if (this.size === 0) return EMPTY_BODY;
    if (this.#drop) return droppedBody(this.size);
    if (this.size <= MIB) return bytesBody(this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks));
    return { size: this.size, extents: this.#chunks.map((bytes) => ({ kind: "bytes", bytes })) };
  }

  #checkMd5(md5: string): void {
    const expected = header(this.#call, "content-md5");
    if (expected === undefined) return;
    const bytes = Buffer.from(expected, "base64");
    if (bytes.length !== 16) throw new S3Error("InvalidDigest", "The Content-MD5 you specified was invalid.");
    if (bytes.toString("hex") !== md5) {
      throw new S3Error("BadDigest", "The Content-MD5 you specified did not match what we received.");
    }
  }

  #verifiedChecksum(): Checksum | undefined {
    if (this.#declared === undefined || this.#checksum === undefined) return undefined;
    const { algorithm } = this.#declared;
    const expected = this.#declared.value ?? this.#decoder?.trailers.get(checksumHeader(algorithm));
    const value = this.#checksum.digest().toString("base64");
    if (expected !== value) {
      throw new S3Error("BadDigest", `The ${algorithm} you specified did not match the calculated checksum.`);
    }
    return { algorithm, type: "FULL_OBJECT", value };
  }
}

export function missingContentMd5(): S3Error {
  return new S3Error("MissingContentMD5", "Missing required header for this request: Content-MD5");
}

function sha256Mismatch(): S3Error {
  return new S3Error(
    "XAmzContentSHA256Mismatch",
    "The provided 'x-amz-content-sha256' header does not match what was computed.",
  );
}
