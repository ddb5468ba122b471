import type { FastifyReply, FastifyRequest } from "fastify";
import { HttpProblem } from "../http/problem.ts";

/**
 * What is looked at again and again; undefined where there is nothing to say this time. What did not change is not sent again. With
 * `parts`, what was sent before is followed by `<event>-changes`, which hold those of its fields that changed.
 */
export type Topic = { readonly event: string; readonly read: () => Promise<unknown>; readonly parts?: boolean };

/** A place that an open stream takes. */
type Seat = { readonly owner: string; readonly end: () => void };

type Client = {
  readonly reply: FastifyReply;
  readonly seat: Seat;
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
/** A reader who does not keep up misses a tick rather than fill our memory. */
const MAX_BUFFERED_BYTES = 256 * 1024;
const MAX_STREAMS = 500;
/** So that one who opens many leaves places for others. */
const MAX_OWN_STREAMS = 50;

/** Server-sent events. One timer for all, which runs only while somebody listens. https://html.spec.whatwg.org/multipage/server-sent-events.html */
export function createEventStream() {
  const clients = new Set<Client>();
  /** Of every stream, also those that others write to, in the order in which they were opened. */
  const seats = new Set<Seat>();
  let timer: NodeJS.Timeout | undefined;

  const drop = (client: Client) => {
    clients.delete(client);
    seats.delete(client.seat);
    if (clients.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };

  return {
    count: () => seats.size,
    /**
     * Takes a place for a stream that its caller writes to; what it returns gives the place back. Fails with 429 where the reader has
     * too many open, and with 503 where there is no place at all. `end` is called when the dashboard closes.
     */
    enter(request: FastifyRequest, end: () => void): () => void {
      const seat = { owner: ownerOf(request), end };
      if (ownSeats(seat.owner).length >= MAX_OWN_STREAMS) throw tooMany(429, "you have too many event streams open");
      if (seats.size >= MAX_STREAMS) throw tooMany(503, "too many event streams are open");
      seats.add(seat);
      return () => void seats.delete(seat);
    },
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
      const seat = { owner: ownerOf(request), end: () => reply.raw.end("event: replaced\ndata: {}\n\n") };
      makeRoom(seat.owner);
      seats.add(seat);
      reply.hijack();
      reply.raw.writeHead(200, {
        ...securityHeaders(reply),
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-store",
        "x-accel-buffering": "no", // nginx would hold events back
      });
      const now = performance.now();
      const client: Client = { reply, seat, topics, stillAllowed, told: new Map(), sending: false, checkedAt: now };
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
      for (const { reply } of clients) reply.raw.end();
      clients.clear();
      for (const { end } of seats) end();
      seats.clear();
    },
  };

  function ownSeats(owner: string): readonly Seat[] {
    return [...seats].filter((seat) => seat.owner === owner);
  }

  function makeRoom(owner: string): void {
    const own = ownSeats(owner);
    if (own.length < MAX_OWN_STREAMS && seats.size < MAX_STREAMS) return;
    const [oldest] = own;
    if (oldest === undefined) throw tooMany(503, "too many event streams are open");
    seats.delete(oldest);
    oldest.end();
  }

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
  const all = parts ? Object.entries(data as object) : [["", data] as const]; // only objects are sent in parts
  const fields = all.filter(([, value]) => value !== undefined);
  const now = new Map(fields.map(([name, value]) => [name, JSON.stringify(value)] as const));
  const before = told.get(event);
  told.set(event, now);
  if (before === undefined) return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
  const changed = [...now].filter(([name, text]) => before.get(name) !== text);
  if (changed.length === 0) return undefined;
  if (!parts) return `event: ${event}\ndata: ${now.get("")}\n\n`;
  const body = changed.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(",");
  return `event: ${event}-changes\ndata: {${body}}\n\n`;
}

export type EventStream = ReturnType<typeof createEventStream>;

function ownerOf({ identity, ip }: FastifyRequest): string {
  return identity === undefined ? `address ${ip}` : `${identity.kind} ${identity.name}`;
}

function tooMany(status: 429 | 503, why: string): HttpProblem {
  return new HttpProblem(status, "TooManyStreams", why, { headers: { "retry-after": "10" } });
}

/** A hijacked answer does not get the headers that were set for it. */
function securityHeaders(reply: FastifyReply): Record<string, string> {
  return Object.fromEntries(
    Object.entries(reply.getHeaders()).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])),
  );
}
