import { BodyConnection } from "./connection.ts";

/** Milliseconds that a connection is kept for the next request; servers end theirs after 5 to 20 s. */
const KEPT_MS = 4000;

type Kept = { readonly connection: BodyConnection; readonly timer: NodeJS.Timeout };
type Host = { open: number; readonly kept: Kept[]; readonly waiting: (() => void)[] };

/** Connections that are opened as they are needed, and used again. */
export type BodyPool = {
  /** Waits where as many are open as may be. */
  take(origin: string, signal: AbortSignal): Promise<{ readonly connection: BodyConnection; readonly isNew: boolean }>;
  /** Of one that was taken and whose answer was read; others close themselves. */
  giveBack(origin: string, connection: BodyConnection): void;
  close(): void;
};

export function createBodyPool({
  maxSockets,
  connectTimeoutMs,
}: {
  readonly maxSockets: number;
  readonly connectTimeoutMs: number;
}): BodyPool {
  const hosts = new Map<string, Host>();
  const all = new Set<BodyConnection>();
  const hostOf = (origin: string): Host => {
    const host = hosts.get(origin) ?? { open: 0, kept: [], waiting: [] };
    hosts.set(origin, host);
    return host;
  };
  const openOne = (origin: string, host: Host): BodyConnection => {
    host.open += 1;
    const connection = new BodyConnection(new URL(origin), connectTimeoutMs, () => {
      host.open -= 1;
      all.delete(connection);
      host.waiting.shift()?.();
    });
    all.add(connection);
    return connection;
  };
  const keptBy = (host: Host): BodyConnection | undefined => {
    for (let last = host.kept.pop(); last !== undefined; last = host.kept.pop()) {
      clearTimeout(last.timer);
      if (last.connection.isUsable) return last.connection;
    }
    return undefined;
  };
  return {
    async take(origin, signal) {
      const host = hostOf(origin);
      for (;;) {
        signal.throwIfAborted();
        const kept = keptBy(host);
        if (kept !== undefined) return { connection: kept, isNew: false };
        if (host.open < maxSockets) return { connection: openOne(origin, host), isNew: true };
        await turnOf(host.waiting, signal);
      }
    },
    giveBack(origin, connection) {
      if (!connection.isUsable) return connection.destroy();
      const host = hostOf(origin);
      const timer = setTimeout(() => connection.destroy(), KEPT_MS);
      timer.unref();
      connection.rest();
      host.kept.push({ connection, timer });
      host.waiting.shift()?.();
    },
    close() {
      for (const connection of all) connection.destroy();
    },
  };
}

async function turnOf(waiting: (() => void)[], signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  waiting.push(resolve);
  const onAbort = (): void => resolve();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await promise;
  } finally {
    signal.removeEventListener("abort", onAbort);
    const index = waiting.indexOf(resolve);
    // Who was called and does not come any more passes the turn on.
    if (index >= 0) waiting.splice(index, 1);
    else if (signal.aborted) waiting.shift()?.();
  }
}
