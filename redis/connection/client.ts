import type { Cluster, Redis, RedisOptions } from "ioredis";

/** A connection to Redis: to one server, to the master that sentinels name, or to every node of a cluster. */
export type RedisClient = Redis | Cluster;

/** Where Redis is: a URL, ioredis options, or an ioredis instance (also a `Cluster`), which stays the caller's to close. */
export type RedisLocation = string | RedisOptions | Redis | Cluster;

/** Whether somebody made the connection already. */
export function isInstance(location: RedisLocation): location is RedisClient {
  return typeof location === "object" && "defineCommand" in location && typeof location.defineCommand === "function";
}

export function isCluster(client: RedisClient): client is Cluster {
  return client.isCluster;
}

/** Whether commands go out at once. A cluster works as soon as it says `connect`. */
export function isReady(client: RedisClient): boolean {
  return client.status === "ready" || (client.status === "connect" && client.isCluster);
}
