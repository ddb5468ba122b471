import { createHash, createHmac } from "node:crypto";
import type { ChunkSigning } from "./call.ts";
import { S3Error } from "./s3-error.ts";

const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/**
 * Takes `aws-chunked` bodies apart as they arrive and checks chunk signatures where the request has them.
 * Format: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 */
export class AwsChunkedDecoder {
  readonly trailers = new Map<string, string>();
  #state: "header" | "data" | "data-end" | "trailer" | "done" = "header";
  #line = Buffer.alloc(0);
  #left = 0;
  #hash: ReturnType<typeof createHash> | undefined;
  #signature = "";
  #previous: string;
  #trailerLines = "";
  readonly #signing: ChunkSigning | undefined;
  readonly #onData: (bytes: Buffer) => void;

  constructor(onData: (bytes: Buffer) => void, signing: ChunkSigning | undefined) {
    this.#onData = onData;
    this.#signing = signing;
    this.#previous = signing?.seed ?? "";
  }

  write(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0 && this.#state !== "done") {
      if (this.#state === "data") {
        const data = rest.subarray(0, this.#left);
        rest = rest.subarray(data.length);
        this.#takeData(data);
      } else {
        const newline = rest.indexOf(10);
        this.#line = Buffer.concat([this.#line, newline < 0 ? rest : rest.subarray(0, newline + 1)]);
        if (newline < 0) {
          if (this.#line.length > 16_384) throw incomplete("a chunk header is too long");
          return;
        }
        rest = rest.subarray(newline + 1);
        const line = this.#line.toString("latin1").replace(/\r?\n$/, "");
        this.#line = Buffer.alloc(0);
        this.#takeLine(line);
      }
    }
  }

  /** @throws S3Error IncompleteBody when the last chunk has not come */
  end(): void {
    if (this.#state === "done") return;
    if (this.#state === "trailer" && this.#line.length === 0) this.#finish();
    else throw incomplete("the body ended before its last chunk");
  }

  #takeData(data: Buffer): void {
    this.#hash?.update(data);
    this.#onData(data);
    this.#left -= data.length;
    if (this.#left === 0) this.#state = "data-end";
  }

  #takeLine(line: string): void {
    if (this.#state === "header") {
      this.#startChunk(line);
    } else if (this.#state === "data-end") {
      if (line !== "") throw incomplete("a chunk is longer than announced");
      this.#endChunk();
      this.#state = "header";
    } else if (line === "") {
      this.#finish();
    } else {
      const colon = line.indexOf(":");
      const name = line.slice(0, colon).trim().toLowerCase();
      this.trailers.set(name, line.slice(colon + 1).trim());
      if (name !== "x-amz-trailer-signature") this.#trailerLines += `${name}:${line.slice(colon + 1).trim()}\n`;
    }
  }

  #startChunk(line: string): void {
    const match = /^([0-9a-fA-F]+)(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line);
    if (match === null) throw incomplete("a chunk header is malformed");
    this.#left = Number.parseInt(match[1]!, 16);
    this.#signature = match[2] ?? "";
    if (this.#signing !== undefined) this.#hash = createHash("sha256");
    if (this.#left > 0) {
      this.#state = "data";
    } else {
      this.#endChunk();
      this.#state = "trailer";
    }
  }

  #endChunk(): void {
    if (this.#signing === undefined || this.#hash === undefined) return;
    const { date, scope } = this.#signing;
    const digest = this.#hash.digest("hex");
    this.#check(
      `AWS4-HMAC-SHA256-PAYLOAD\n${date}\n${scope}\n${this.#previous}\n${EMPTY_SHA256}\n${digest}`,
      this.#signature,
    );
    this.#previous = this.#signature;
  }

  #finish(): void {
    this.#state = "done";
    const signature = this.trailers.get("x-amz-trailer-signature");
    if (this.#signing === undefined || signature === undefined) return;
    const { date, scope } = this.#signing;
    const digest = createHash("sha256").update(this.#trailerLines).digest("hex");
    this.#check(`AWS4-HMAC-SHA256-TRAILER\n${date}\n${scope}\n${this.#previous}\n${digest}`, signature);
  }

  #check(text: string, signature: string): void {
    const expected = createHmac("sha256", this.#signing!.key).update(text).digest("hex");
    if (expected !== signature) {
      throw new S3Error(
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
      );
    }
  }
}

function incomplete(why: string): S3Error {
  return new S3Error("IncompleteBody", `The request body terminated unexpectedly (${why})`);
}
