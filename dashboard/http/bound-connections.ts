import type { Server, Socket } from "node:net";
import { clientOf } from "../access/entries.ts";

/** Browsers open six to a host, and a whole company may be behind one address. */
export const MAX_OF_ONE = 2000;

/**
 * Lets nobody but a trusted proxy hold more connections at once than that: a slow or silent client costs a descriptor and memory for each, until its
 * time is over. What is beyond is closed before anything is read of it.
 */
export function boundConnections(
  server: Server,
  fromProxy: (address: string | undefined) => boolean,
  most = MAX_OF_ONE,
): void {
  const held = new Map<string, number>();
  server.on("connection", (socket: Socket) => {
    const { remoteAddress } = socket;
    if (remoteAddress === undefined || fromProxy(remoteAddress)) return;
    const client = clientOf(remoteAddress);
    const count = (held.get(client) ?? 0) + 1;
    if (count > most) {
      socket.destroy();
      return;
    }
    held.set(client, count);
    socket.once("close", () => {
      const left = (held.get(client) ?? 1) - 1;
      if (left === 0) held.delete(client);
      else held.set(client, left);
    });
  });
}
