import type { FastifyReply, FastifyRequest } from "fastify";
import { createStreamSeats, type SeatEnd } from "./stream-seats.ts";

/**
 * What is looked at again and again; undefined where there is nothing to say this time. What did not change is not sent again. With
 * `parts`, what was sent before is followed by `<event>-changes`, which hold those of its fields that changed.
 */
export type Topic = { readonly event: string; readonly read: () => Promise<unknown>; readonly parts?: boolean };

type Client = {
  readonly reply: FastifyReply;
  readonly leave: () => void;
  readonly topics: readonly Topic[];
  readonly stillAllowed: () => Promise<boolean>;
  /** What it was told last, by event and field. */
  readonly told: Map<string, ReadonlyMap<string, string>>;
  sending: boolean;
  checkedAt: number;
};

const EVERY_MS = 1000;
/** A session can end while its stream is open. */
export const CHECK_EVERY_MS = 10_000;
/** The last word of a stream that makes room for another of the same reader. */
export const REPLACED = "event: replaced\ndata: {}\n\n";
/** A reader who does not keep up misses a tick rather than fill our memory. */
const MAX_BUFFERED_BYTES = 256 * 1024;

/** Server-sent events. One timer for all, which runs only while somebody listens. https://html.spec.whatwg.org/multipage/server-sent-events.html */
export function createEventStream() {
  const clients = new Set<Client>();
  /** Of every stream, also those that others write to. */
  const seats = createStreamSeats();
  let timer: NodeJS.Timeout | undefined;

  const drop = (client: Client) => {
    clients.delete(client);
    client.leave();
    if (clients.size > 0) return;
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
      const leave = seats.take(request, {
        beyond: "oldest",
        end: (why) => {
          drop(client);
          reply.raw.end(why === "replaced" ? REPLACED : "");
        },
      });
      reply.hijack();
      reply.raw.writeHead(200, {
        ...securityHeaders(reply),
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-store",
        "x-accel-buffering": "no", // nginx would hold events back
      });
      const now = performance.now();
      const client: Client = { reply, leave, topics, stillAllowed, told: new Map(), sending: false, checkedAt: now };
      clients.add(client);
      request.raw.on("close", () => drop(client));
      reply.raw.on("error", () => drop(client));
      reply.raw.write("retry: 1000\n\n");
      void send(client);
      timer ??= setInterval(() => {
        for (const each of clients) void send(each);
      }, EVERY_MS);
    },
    close(): void {
      clearInterval(timer);
      timer = undefined;
      clients.clear();
      seats.close();
    },
  };

  async function send(client: Client): Promise<void> {
    const { reply, topics } = client;
    if (client.sending || reply.raw.writableLength > MAX_BUFFERED_BYTES) return;
    client.sending = true;
    try {
      if (!(await allowed(client))) {
        reply.raw.end("event: end\ndata: {}\n\n");
        drop(client);
        return;
      }
      let said = false;
      for (const topic of topics) {
        const text = textFor(client, topic, await topic.read());
        if (text === undefined || !clients.has(client)) continue;
        reply.raw.write(text);
        said = true;
      }
      // So that silence means that the connection is dead.
      if (!said && clients.has(client)) reply.raw.write("event: tick\ndata: {}\n\n");
    } catch {
      // Redis is away: the reader is told so, and sees the figures again when it is back.
      if (clients.has(client)) reply.raw.write("event: trouble\ndata: {}\n\n");
    } finally {
      client.sending = false;
    }
  }

  async function allowed(client: Client): Promise<boolean> {
    if (performance.now() - client.checkedAt < CHECK_EVERY_MS) return true;
    client.checkedAt = performance.now();
    return client.stillAllowed();
  }
}

/** What a reader has not been told yet; undefined where that is nothing. */
function textFor({ told }: Client, { event, parts = false }: Topic, data: unknown): string | undefined {
  if (data === undefined) return undefined;
  const now = inJson(data, parts);
  const before = told.get(event);
  told.set(event, now);
  const whole = now.get("") ?? `{${bodyOf(now)}}`;
  if (before === undefined) return `event: ${event}\ndata: ${whole}\n\n`;
  const changed = before === now ? [] : [...now].filter(([name, text]) => before.get(name) !== text);
  if (changed.length === 0) return undefined;
  if (!parts) return `event: ${event}\ndata: ${whole}\n\n`;
  return `event: ${event}-changes\ndata: {${bodyOf(changed)}}\n\n`;
}

const written = new WeakMap<object, ReadonlyMap<string, string>>();

/** By field, or as a whole under no name. Many readers are told the same, which is written out once. */
function inJson(data: unknown, parts: boolean): ReadonlyMap<string, string> {
  const object = data as object; // only objects are sent
  const known = written.get(object);
  if (known !== undefined) return known;
  const fields = parts ? Object.entries(object) : [["", object] as const];
  const json = new Map(
    fields.filter(([, value]) => value !== undefined).map(([name, value]) => [name, JSON.stringify(value)] as const),
  );
  written.set(object, json);
  return json;
}

function bodyOf(fields: Iterable<readonly [string, string]>): string {
  return [...fields].map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(",");
}

export type EventStream = ReturnType<typeof createEventStream>;

/** A hijacked answer does not get the headers that were set for it. */
function securityHeaders(reply: FastifyReply): Record<string, string> {
  return Object.fromEntries(
    Object.entries(reply.getHeaders()).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])),
  );
}
