import { createHash } from "node:crypto";
import { finished, type Readable, Transform } from "node:stream";
import type { About } from "../error-mapping.ts";
import { notWhole } from "./not-whole.ts";
import { partEtags } from "../../model/content/part-etags.ts";

type Source = {
  readonly body: Readable;
  /** Bytes that must come. */
  readonly size: number;
  /** Hex, where the caller knows it. */
  readonly sha256?: string | undefined;
  /** Hashes each part too, for the ETag that the store should give. */
  readonly partSize?: number | undefined;
  /** Whether the whole body's MD5 is wanted; or what it must be, hex. */
  readonly md5: boolean | string;
  readonly about: About;
  readonly onBytes?: ((bytes: number) => void) | undefined;
  /** Told once why the body cannot be whole; it must end whoever reads the stream. */
  readonly fail: (error: unknown) => void;
};

export type UploadBody = {
  readonly stream: Readable;
  /** Whether every byte came and was handed on. */
  readonly complete: () => boolean;
  /** Once complete: the whole body's MD5, where it was wanted. */
  readonly md5: () => string | undefined;
  /** Once complete: the ETag that S3 gives to these parts. */
  readonly partsEtag: () => string;
};

/**
 * Counts and hashes what is uploaded, on its way. The last chunk is held back until count and hash are known to be right, so
 * a store never receives a whole body that is not what was promised, and nothing wrong becomes visible.
 * The stream itself never fails, it only stops: the SDK wraps it in another that nobody listens to, whose error would end the process.
 */
export function uploadBody(source: Source): UploadBody {
  const { body, size, sha256, partSize, md5, about, onBytes } = source;
  let count = 0;
  let held: Buffer | undefined;
  let complete = false;
  let digest: string | undefined;
  const whole = md5 !== false ? createHash("md5") : undefined;
  const sha = sha256 === undefined ? undefined : createHash("sha256");
  const parts = partSize === undefined ? undefined : partEtags(partSize);
  const stop = (error: unknown): void => {
    if (stream.destroyed) return;
    source.fail(error);
    stream.destroy();
  };
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      count += chunk.length;
      if (count > size) return stop(notWhole(about, `expected ${size} bytes, got more`));
      for (const hash of [whole, sha, parts]) hash?.update(chunk);
      onBytes?.(chunk.length);
      const ready = held;
      held = chunk;
      done(null, ready);
    },
    flush(done) {
      if (count !== size) return stop(notWhole(about, `expected ${size} bytes, got ${count}`));
      if (sha !== undefined && sha.digest("hex") !== sha256)
        return stop(notWhole(about, `expected the SHA-256 ${sha256}, got another`));
      digest = whole?.digest("hex");
      if (typeof md5 === "string" && digest !== md5)
        return stop(notWhole(about, `expected the MD5 ${md5}, got ${digest ?? "none"}`));
      complete = true;
      done(null, held);
    },
  });
  finished(body, { writable: false }, (error) => {
    if (error) stop(error);
  });
  body.pipe(stream);
  return { stream, complete: () => complete, md5: () => digest, partsEtag: () => parts?.etag() ?? "" };
}
