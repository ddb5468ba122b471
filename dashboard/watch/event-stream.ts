import type { FastifyReply, FastifyRequest } from "fastify";
import type { Topic } from "./event-text.ts";
import { Listener } from "./listener.ts";
import { createStreamSeats, type SeatEnd } from "./stream-seats.ts";

const EVERY_MS = 1000;
/** The last word of a stream that makes room for another of the same reader. */
export const REPLACED = "event: replaced\ndata: {}\n\n";

/** Server-sent events. One timer for all, which runs only while somebody listens. https://html.spec.whatwg.org/multipage/server-sent-events.html */
export function createEventStream() {
  const listeners = new Set<Listener>();
  /** Of every stream, also those that others write to. */
  const seats = createStreamSeats();
  let timer: NodeJS.Timeout | undefined;

  const tellAll = () => {
    for (const each of listeners) void each.tell();
  };
  const rest = () => {
    clearInterval(timer);
    timer = undefined;
  };

  return {
    count: seats.count,
    /**
     * Takes a place for a stream that its caller writes to; what it returns gives the place back. Fails with 429 where the reader has too
     * many open. `end` is called when the stream has to end before its reader leaves.
     */
    enter: (request: FastifyRequest, end: (why: SeatEnd) => void) => seats.take(request, { beyond: "refuse", end }),
    /**
     * Takes over the answer of a request. `stillAllowed` is asked every now and then; when it says no, the stream ends. Where its reader
     * has too many open, the oldest of them ends instead: pages that nobody looks at any more must not keep the newest out.
     */
    add(
      request: FastifyRequest,
      reply: FastifyReply,
      topics: readonly Topic[],
      stillAllowed: () => Promise<boolean>,
    ): void {
      const end = (why: SeatEnd) => listener.end(why === "replaced" ? REPLACED : "");
      const leaveSeat = seats.take(request, { beyond: "oldest", end });
      const onLeave = () => {
        listeners.delete(listener);
        leaveSeat();
        if (listeners.size === 0) rest();
      };
      beginEvents(reply);
      const listener = new Listener({ reply, topics, stillAllowed, onLeave });
      listeners.add(listener);
      request.raw.on("close", () => listener.leave());
      reply.raw.on("error", () => listener.leave());
      reply.raw.write("retry: 1000\n\n");
      void listener.tell();
      timer ??= setInterval(tellAll, EVERY_MS);
    },
    close(): void {
      rest();
      listeners.clear();
      seats.close();
    },
  };
}

export type EventStream = ReturnType<typeof createEventStream>;

function beginEvents(reply: FastifyReply): void {
  reply.hijack();
  reply.raw.writeHead(200, {
    ...securityHeaders(reply),
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-accel-buffering": "no", // nginx would hold events back
  });
}

/** A hijacked answer does not get the headers that were set for it. */
function securityHeaders(reply: FastifyReply): Record<string, string> {
  return Object.fromEntries(
    Object.entries(reply.getHeaders()).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])),
  );
}
