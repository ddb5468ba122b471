import { Readable } from "node:stream";
import type { S3Client } from "@aws-sdk/client-s3";
import { ActivityError } from "../../model/activity-error.ts";

/** The longest answer that is no object's content: a thousand keys of 1,024 bytes, encoded, have a quarter of it. */
const MAX_BYTES = 16 * 1024 * 1024;

type Answer = { body?: unknown; readonly statusCode?: number; readonly headers?: Readonly<Record<string, string>> };

/** Has a client give up on answers without an end, which it would else hold in memory until the request's time is over. */
export function boundAnswers({ middlewareStack }: S3Client): void {
  middlewareStack.add(
    (next, context) => async (args) => {
      const result = await next(args);
      const response = result.response as Answer; // a raw HTTP answer, which the SDK leaves untyped
      const { body } = response;
      const isContent = context.commandName === "GetObjectCommand" && (response.statusCode ?? 0) < 300;
      if (!isContent && body instanceof Readable && !isShort(response)) response.body = bounded(body);
      return result;
    },
    { step: "deserialize", priority: "low", name: "boundAnswers", override: true },
  );
}

/** Node holds a server to the length that it promises. */
function isShort({ headers = {} }: Answer): boolean {
  const length = headers["content-length"];
  return length !== undefined && Number(length) <= MAX_BYTES;
}

function bounded(body: Readable): Readable {
  async function* within(): AsyncGenerator<Uint8Array> {
    let length = 0;
    for await (const piece of body as AsyncIterable<Uint8Array>) {
      length += piece.length;
      if (length > MAX_BYTES) throw tooLong();
      yield piece;
    }
  }
  return Readable.from(within(), { objectMode: false });
}

function tooLong(): ActivityError {
  return new ActivityError("UnprovenResponse", `expected an answer of at most ${MAX_BYTES} bytes from the store`, {
    retryable: true,
  });
}
