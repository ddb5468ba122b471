import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

/** The wanted port of 127.0.0.1 where nobody has it, else another that was free a moment ago. */
export async function freePort(wanted: number): Promise<number> {
  const server = createServer().listen(wanted, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return await freePort(0); // taken
  }
  const { port } = server.address() as AddressInfo; // a server on a port has no other
  server.close();
  await once(server, "close");
  return port;
}
