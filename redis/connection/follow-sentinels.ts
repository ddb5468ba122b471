import { isIP } from "node:net";
import { Redis } from "ioredis";

/** Milliseconds. */
const ASK_EVERY_MS = 500;
const ANSWER_WITHIN_MS = 2000;

/**
 * Asks a sentinel who the master is, and leads the connection there when that changes. A master that is replaced while it is well (an operator's
 * failover) goes on taking writes for seconds, and all of them are lost: nothing on the connection itself tells. Ends with the connection.
 */
export function followSentinels(client: Redis): void {
  const { sentinels, name, sentinelUsername, sentinelPassword, sentinelTLS } = client.options;
  if (!sentinels || sentinels.length === 0 || !name) return;
  let current = 0;
  let sentinel: Redis | undefined;
  let told: string | undefined;
  let asking = false;
  const open = () => {
    const { host = "127.0.0.1", port = 26_379 } = sentinels[current++ % sentinels.length] ?? {};
    const opened = new Redis({
      host,
      port,
      ...(sentinelUsername && { username: sentinelUsername }),
      ...(sentinelPassword && { password: sentinelPassword }),
      ...(sentinelTLS && { tls: sentinelTLS }),
      lazyConnect: true,
      enableReadyCheck: false,
      connectTimeout: ANSWER_WITHIN_MS,
      commandTimeout: ANSWER_WITHIN_MS,
      retryStrategy: () => null,
    });
    // The next one is asked instead.
    opened.on("error", () => {});
    return opened;
  };
  const ask = async () => {
    if (asking || client.status !== "ready") return;
    asking = true;
    sentinel ??= open();
    try {
      const [host, port] = (await sentinel.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", name)) as string[]; // its reply
      const address = `${host}:${port}`;
      const isNew = told !== undefined && told !== address;
      told = address;
      // A connection that was lost with the old master has found the new one by itself: what it asked there must not be cut off.
      if (isNew && !isAt(client, { host: String(host), port: Number(port) })) client.disconnect(true);
    } catch {
      sentinel.disconnect();
      sentinel = undefined;
    } finally {
      asking = false;
    }
  };
  const timer = setInterval(() => void ask(), ASK_EVERY_MS);
  timer.unref();
  client.once("end", () => {
    clearInterval(timer);
    sentinel?.disconnect();
  });
}

/** Whether a connection leads to what a sentinel tells. */
function isAt({ options: { natMap }, stream }: Redis, told: { readonly host: string; readonly port: number }): boolean {
  const key = `${told.host}:${told.port}`;
  const { host, port } = (typeof natMap === "function" ? natMap(key) : natMap?.[key]) ?? told;
  const { remoteAddress, remotePort } = peerOf(stream);
  return remotePort === port && (isIP(host) === 0 || remoteAddress.replace(/^::ffff:/, "") === host);
}

/** The other end of a connection, which is a socket of TCP with or without TLS. */
function peerOf(stream: object): { readonly remoteAddress: string; readonly remotePort: unknown } {
  const address = "remoteAddress" in stream ? stream.remoteAddress : undefined;
  return {
    remoteAddress: typeof address === "string" ? address : "",
    remotePort: "remotePort" in stream ? stream.remotePort : undefined,
  };
}
