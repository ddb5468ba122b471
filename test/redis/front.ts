import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { onTestFinished as afterThisTest } from "vitest";

/** What a connection is for, by what was asked on it last. */
export type Kind = "blocking" | "subscriber" | "other";

export type Front = {
  readonly port: number;
  readonly url: string;
  /** From now on nothing goes through those connections, in no direction, and no end is told: as where a host died. Returns how many they are. */
  hang(which?: (kind: Kind) => boolean): number;
  /** New connections are taken, and nothing goes through them. */
  swallowNew(on: boolean): void;
  /** New connections are refused. */
  refuseNew(on: boolean): void;
  /** Ends all that are open, for both sides to see. */
  cut(): void;
  /** Where new connections lead. */
  leadTo(port: number): void;
  /** How many are open, of the clients' side. */
  count(): number;
};

type Way = { readonly near: Socket; readonly far: Socket | undefined; kind: Kind; hangs: boolean };

/** Stands between Redis and its clients, as load balancers and networks do. Gone after the test. */
export async function startFront(
  to: number,
  at: { readonly host?: string; readonly port?: number; readonly onTestFinished?: typeof afterThisTest } = {},
): Promise<Front> {
  // Tests that run side by side pass on their own.
  const { host = "127.0.0.1", onTestFinished = afterThisTest } = at;
  const ways = new Set<Way>();
  const state = { to, swallow: false, refuse: false };
  const server = createServer((near) => {
    if (state.refuse) {
      near.on("error", () => {}).resetAndDestroy();
      return;
    }
    const far = state.swallow ? undefined : connect(state.to, "127.0.0.1");
    const way: Way = { near, far, kind: "other", hangs: state.swallow };
    ways.add(way);
    near.on("data", (bytes) => {
      way.kind = kindOf(bytes) ?? way.kind;
      if (!way.hangs) far?.write(bytes);
    });
    far?.on("data", (bytes) => void (way.hangs || near.write(bytes)));
    for (const end of [near, far]) end?.on("error", () => {});
    far?.on("close", () => void (way.hangs || near.destroy()));
    near.on("close", () => {
      ways.delete(way);
      far?.destroy();
    });
  }).listen(at.port ?? 0, host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // it listens on TCP
  const cut = () => {
    for (const { near, far } of ways) for (const end of [near, far]) end?.destroy();
  };
  onTestFinished(() => {
    server.close();
    cut();
  });
  return {
    port,
    url: `redis://${host}:${port}`,
    hang: (which = () => true) => {
      const hit = [...ways].filter(({ kind }) => which(kind));
      for (const way of hit) way.hangs = true;
      return hit.length;
    },
    swallowNew: (on) => void (state.swallow = on),
    refuseNew: (on) => void (state.refuse = on),
    cut,
    leadTo: (other) => void (state.to = other),
    count: () => ways.size,
  };
}

/** A start tries on its command connection whether it may block: what it asks afterwards tells what it is for. */
function kindOf(bytes: Buffer): Kind | undefined {
  const text = bytes.toString("latin1").toLowerCase();
  if (/\r\n(evalsha|set)\r\n/.test(text)) return "other";
  if (/\r\nbzpopmin\r\n/.test(text)) return "blocking";
  return /\r\nsubscribe\r\n/.test(text) ? "subscriber" : undefined;
}
