import type { Duplex } from "node:stream";
import type { Redis } from "ioredis";
import { isCluster, type RedisClient } from "./client.ts";

/**
 * Sends the commands of one turn of the event loop together. Each write to a socket of its own is a call of the system, which took about a
 * third of a busy worker's time; no command waits for another, nor for a timer.
 */
export function joinWrites(client: RedisClient): void {
  if (isCluster(client)) {
    for (const node of client.nodes("all")) joinWritesOf(node);
    client.on("+node", joinWritesOf);
    return;
  }
  joinWritesOf(client);
}

function joinWritesOf(node: Redis): void {
  // Every new connection has a stream of its own.
  node.on("connect", () => joinWritesTo(node.stream));
}

function joinWritesTo(stream: Duplex): void {
  const write = stream.write.bind(stream) as (...args: readonly unknown[]) => boolean; // one of its several forms
  let joining = false;
  const end = (): void => {
    joining = false;
    stream.uncork();
  };
  stream.write = (...args: readonly unknown[]) => {
    if (!joining) {
      joining = true;
      stream.cork();
      // Runs once the promises that are settled by now have led to their commands.
      process.nextTick(end);
    }
    return write(...args);
  };
}
