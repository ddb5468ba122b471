import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { freePort, type Server, type Settings, startServer, until } from "./server.ts";

const run = promisify(execFile);

/** Several Redis servers, of which one holds the queues; another takes its place when it has to. */
export type Group = AsyncDisposable & {
  readonly kind: "sentinel" | "cluster";
  readonly url: string;
  /** The server that holds the queues now, as the others see it. */
  master(): Promise<Server>;
  /** Resolves once another server than this has taken over. */
  takenOver(from: Server): Promise<Server>;
  /** Asks for a change of roles, with nothing lost. */
  demote(): Promise<void>;
  /** Only of a cluster: leads the queues' slot to another master while they are used. */
  readonly migrate?: () => Promise<void>;
  /** Resolves once every server is there again and the replicas are in step. */
  whole(): Promise<void>;
};

/** Shorter than in production, so that many rounds fit into a while. Milliseconds. */
const DOWN_AFTER_MS = 2000;
const DURABLE = { appendonly: "yes", appendfsync: "everysec" } as const;

/** A master, two replicas and three sentinels. */
export async function startSentinelGroup(): Promise<Group> {
  await using starting = new AsyncDisposableStack();
  const start = async (...args: Parameters<typeof startServer>) => {
    const server = await startServer(...args);
    starting.defer(() => server.stop());
    return server;
  };
  const first = await start(DURABLE);
  const replicaof = ["127.0.0.1", first.port];
  const servers = [first, await start({ ...DURABLE, replicaof }), await start({ ...DURABLE, replicaof })];
  const watched = [
    `sentinel monitor main 127.0.0.1 ${first.port} 2`,
    `sentinel down-after-milliseconds main ${DOWN_AFTER_MS}`,
    "sentinel failover-timeout main 6000",
  ];
  const sentinels = [await start({}, watched), await start({}, watched), await start({}, watched)];
  const master = async () => {
    for (const sentinel of sentinels) {
      const told = (await sentinel.cli("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main")).split("\n");
      const found = servers.find(({ port }) => String(port) === told[1]);
      if (found && (await found.cli("ROLE")).startsWith("master")) return found;
    }
    throw new Error("the sentinels know no master that is one");
  };
  const whole = async () => {
    await until("two replicas are in step", async () => {
      const info = await (await master()).cli("INFO", "replication");
      return (info.match(/state=online/g) ?? []).length === 2;
    });
    await until("the sentinels see them all", async () => {
      for (const sentinel of sentinels)
        if (!/slaves=2,sentinels=3/.test(await sentinel.cli("INFO", "sentinel"))) return false;
      return true;
    });
  };
  await whole();
  const owned = starting.move();
  return {
    kind: "sentinel",
    url: `redis+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(",")}/main`,
    master,
    takenOver: (from) => anotherThan(from, master),
    demote: async () => {
      for (const sentinel of sentinels) if ((await sentinel.cli("SENTINEL", "FAILOVER", "main")) === "OK") return;
      throw new Error("no sentinel began a failover");
    },
    whole,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Servers in cluster mode, three of them masters. */
export type ClusterServers = AsyncDisposable & { readonly servers: readonly Server[]; readonly url: string };

/** Starts a cluster of three masters, each with so many replicas. */
export async function startClusterServers(replicas: number, settings: Settings = DURABLE): Promise<ClusterServers> {
  await using starting = new AsyncDisposableStack();
  const servers: Server[] = [];
  for (let n = 0; n < 3 * (replicas + 1); n++) {
    const server = await startServer({
      ...settings,
      "cluster-enabled": "yes",
      "cluster-node-timeout": DOWN_AFTER_MS,
      "cluster-port": await freePort(),
      "cluster-announce-ip": "127.0.0.1",
    });
    starting.defer(() => server.stop());
    servers.push(server);
  }
  const addresses = servers.map(({ port }) => `127.0.0.1:${port}`);
  const shape = ["--cluster-replicas", String(replicas), "--cluster-yes"];
  await run("redis-cli", ["--cluster", "create", ...addresses, ...shape]);
  const owned = starting.move();
  return {
    servers,
    url: `redis+cluster://${addresses.slice(0, 2).join(",")}`,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Three masters and three replicas, in cluster mode. `key` is one of those that have to share a slot. */
export async function startClusterGroup(key: string): Promise<Group> {
  await using starting = new AsyncDisposableStack();
  const { servers, url } = starting.use(await startClusterServers(1));
  const slot = Number(await servers[0]?.cli("CLUSTER", "KEYSLOT", key));
  const master = async () => await ownerOf(servers, slot);
  const whole = async () => {
    await until("every node is well, and has its replica", async () => {
      for (const server of servers) {
        const nodes = nodesOf(await server.cli("CLUSTER", "NODES"));
        const well = nodes.filter(({ flags, linked }) => !flags.includes("fail") && linked);
        if (well.length !== servers.length) return false;
        if (!(await server.cli("CLUSTER", "INFO")).includes("cluster_state:ok")) return false;
        const replication = await server.cli("INFO", "replication");
        if (replication.includes("role:slave") && !replication.includes("master_link_status:up")) return false;
      }
      return (await replicasOf(servers, await master())).length > 0;
    });
  };
  await whole();
  const owned = starting.move();
  return {
    kind: "cluster",
    url,
    master,
    takenOver: (from) => anotherThan(from, master),
    demote: async () => {
      const [replica] = await replicasOf(servers, await master());
      await replica?.cli("CLUSTER", "FAILOVER");
    },
    migrate: async () => await migrateSlot(servers, slot),
    whole,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function anotherThan(from: Server, master: () => Promise<Server>): Promise<Server> {
  let found = from;
  await until(
    "another server took over",
    async () => {
      found = await master();
      return found !== from;
    },
    60_000,
  );
  return found;
}

type Node = { id: string; port: number; flags: string; masterId: string; linked: boolean; slots: [number, number][] };

function nodesOf(text: string): Node[] {
  return text.split("\n").map((line) => {
    const [id = "", address = "", flags = "", masterId = "", , , , link = "", ...ranges] = line.split(" ");
    const slots = ranges
      .filter((range) => !range.startsWith("["))
      .map((range): [number, number] => {
        const [from = 0, to = from] = range.split("-").map(Number);
        return [from, to];
      });
    const port = Number(/:(\d+)@/.exec(address)?.[1]);
    return { id, port, flags, masterId, linked: link === "connected" || flags.includes("myself"), slots };
  });
}

/** What the servers that answer say; a frozen or dead one is none of them. */
async function view(servers: readonly ClusterNode[]): Promise<Node[]> {
  for (const server of servers) {
    try {
      const text = await server.cli("CLUSTER", "NODES");
      const nodes = nodesOf(text);
      // One that comes back late still believes that it is the master.
      if ((await server.cli("CLUSTER", "INFO")).includes("cluster_state:ok")) return nodes;
    } catch {
      // Not this one: the next may answer.
    }
  }
  throw new Error("no node of the cluster answers");
}

async function ownerOf<Asked extends ClusterNode>(servers: readonly Asked[], slot: number): Promise<Asked> {
  const node = (await view(servers)).find(
    ({ flags, slots }) =>
      flags.includes("master") && !flags.includes("fail") && slots.some(([from, to]) => from <= slot && slot <= to),
  );
  const found = servers.find(({ port }) => port === node?.port);
  if (found === undefined) throw new Error(`nobody owns slot ${slot}`);
  return found;
}

async function replicasOf(servers: readonly Server[], master: Server): Promise<Server[]> {
  const nodes = await view(servers);
  const id = nodes.find(({ port }) => port === master.port)?.id;
  return servers.filter((server) =>
    nodes.some(({ port, flags, masterId }) => port === server.port && masterId === id && !flags.includes("fail")),
  );
}

/** A server of a cluster, to ask. */
export type ClusterNode = Pick<Server, "port" | "cli">;

/** Moves every key of a slot from its master to another, as `redis-cli --cluster reshard` does, while clients use it. */
export async function migrateSlot(servers: readonly ClusterNode[], slot: number): Promise<void> {
  const nodes = await view(servers);
  const from = await ownerOf(servers, slot);
  const idOf = (server: ClusterNode) => nodes.find(({ port }) => port === server.port)?.id ?? "";
  const to = servers.find(
    (server) =>
      server !== from &&
      nodes.some(({ port, flags, slots }) => port === server.port && /master/.test(flags) && slots.length > 0),
  );
  if (to === undefined) throw new Error("there is no other master");
  await to.cli("CLUSTER", "SETSLOT", slot, "IMPORTING", idOf(from));
  await from.cli("CLUSTER", "SETSLOT", slot, "MIGRATING", idOf(to));
  for (;;) {
    const keys = (await from.cli("CLUSTER", "GETKEYSINSLOT", slot, 50)).split("\n").filter((name) => name !== "");
    if (keys.length === 0) break;
    await from.cli("MIGRATE", "127.0.0.1", to.port, "", 0, 5000, "KEYS", ...keys);
  }
  await to.cli("CLUSTER", "SETSLOT", slot, "NODE", idOf(to));
  await from.cli("CLUSTER", "SETSLOT", slot, "NODE", idOf(to));
}
