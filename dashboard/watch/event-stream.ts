import type { FastifyReply, FastifyRequest } from "fastify";

/** What is sent again and again; undefined where there is nothing to say this time. */
export type Topic = { readonly event: string; readonly read: () => Promise<unknown> };

type Client = {
  readonly reply: FastifyReply;
  readonly topics: readonly Topic[];
  readonly stillAllowed: () => Promise<boolean>;
  sending: boolean;
  checkedAt: number;
};

const EVERY_MS = 1000;
/** A session can end while its stream is open. */
const CHECK_EVERY_MS = 30_000;
/** A reader who does not keep up misses a tick rather than fill our memory. */
const MAX_BUFFERED_BYTES = 256 * 1024;
const MAX_CLIENTS = 500;

/** Server-sent events. One timer for all, which runs only while somebody listens. https://html.spec.whatwg.org/multipage/server-sent-events.html */
export function createEventStream() {
  const clients = new Set<Client>();
  let timer: NodeJS.Timeout | undefined;

  const drop = (client: Client) => {
    clients.delete(client);
    if (clients.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };

  return {
    count: () => clients.size,
    hasRoom: () => clients.size < MAX_CLIENTS,
    /** Takes over the answer of a request. `stillAllowed` is asked every now and then; when it says no, the stream ends. */
    add(
      request: FastifyRequest,
      reply: FastifyReply,
      topics: readonly Topic[],
      stillAllowed: () => Promise<boolean>,
    ): void {
      reply.hijack();
      reply.raw.writeHead(200, {
        ...securityHeaders(reply),
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-store",
        "x-accel-buffering": "no", // nginx would hold events back
      });
      const client: Client = { reply, topics, stillAllowed, sending: false, checkedAt: performance.now() };
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
      for (const { event, read } of topics) {
        const data = await read();
        if (data !== undefined && clients.has(client))
          reply.raw.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
      }
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
export type EventStream = ReturnType<typeof createEventStream>;

/** A hijacked answer does not get the headers that were set for it. */
function securityHeaders(reply: FastifyReply): Record<string, string> {
  return Object.fromEntries(
    Object.entries(reply.getHeaders()).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])),
  );
}
