import type { Redis } from "ioredis";
import { isCluster, type RedisClient } from "./client.ts";

/** Calls back whenever a connection was lost, of a cluster one to any node: what was asked there and not answered may have been done. Returns how to stop. */
export function whenLost(client: RedisClient, lost: () => void): () => void {
  const nodes = new Set<Redis>();
  const listen = (node: Redis) => void nodes.add(node.on("close", lost));
  if (isCluster(client)) {
    for (const node of client.nodes("all")) listen(node);
    client.on("+node", listen);
  } else listen(client);
  return () => {
    client.off("+node", listen);
    for (const node of nodes) node.off("close", lost);
  };
}
