import { once } from "node:events";
import { createServer } from "node:net";

/** The wanted port of 127.0.0.1 where nobody has it, else 0, which lets a server pick one. */
export async function freePort(wanted: number): Promise<number> {
  const server = createServer().listen(wanted, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return 0; // taken
  }
  server.close();
  await once(server, "close");
  return wanted;
}
