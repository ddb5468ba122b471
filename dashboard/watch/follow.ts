import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Identify } from "../access/identity.ts";
import { abortedWith } from "../http/request-signal.ts";
import { type EventStream, REPLACED } from "./event-stream.ts";
import { CHECK_EVERY_MS } from "./listener.ts";

const LOOK_EVERY_MS = 1000;

/** How such events end; for descriptions of routes. */
export const ENDS =
  "`end` after the last one: it has come to its end, or the reader may not look any more. `replaced`: the reader has opened too many others since.";

type Following = {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly streams: EventStream;
  readonly identify: Identify;
};

/** Sends what there is to see, once a second, until it is the last or the reader may not look any more. */
export function follow(
  { request, reply, streams, identify }: Following,
  look: () => Promise<{ readonly view: object; readonly ended: boolean }>,
): FastifyReply {
  const closing = new AbortController();
  const leave = streams.enter(request, (why) => closing.abort(why));
  reply.raw.once("close", leave);
  const signal = AbortSignal.any([abortedWith(reply), closing.signal]);
  let checkedAt = performance.now();
  const mayLook = async (): Promise<boolean> => {
    if (performance.now() - checkedAt < CHECK_EVERY_MS) return true;
    checkedAt = performance.now();
    return (await identify(request)) !== undefined;
  };
  async function* progress(): AsyncGenerator<string> {
    while (await mayLook()) {
      const { view, ended } = await look();
      yield `event: progress\ndata: ${JSON.stringify(view)}\n\n`;
      if (ended) break;
      await sleep(LOOK_EVERY_MS, undefined, { signal });
    }
    yield "event: end\ndata: {}\n\n";
  }
  return reply
    .type("text/event-stream; charset=utf-8")
    .header("cache-control", "no-store")
    .header("x-accel-buffering", "no")
    .send(Readable.from(untilEnded(progress(), signal), { objectMode: false }));
}

/** Ends quietly where the reader left, and with a word where it has to make room for another. */
async function* untilEnded(parts: AsyncIterable<string>, signal: AbortSignal): AsyncGenerator<string> {
  try {
    yield* parts;
  } catch (error) {
    if (!signal.aborted) throw error;
    if (signal.reason === "replaced") yield REPLACED;
  }
}
