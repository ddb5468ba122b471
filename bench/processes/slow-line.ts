/** A line to a store that gives every connection a fixed rate in each direction, as S3 does, and that breaks on demand. */
import { createServer, type Socket, connect, type AddressInfo } from "node:net";
import type { LineOrder, LineSetting, LineState } from "../lab/slow-line.ts";
import { serve } from "../lab/sibling.ts";

// Written by startSlowLine.
const { endpoint, bytesPerSecond } = JSON.parse(process.argv[2] ?? "{}") as LineSetting;
const target = new URL(endpoint);
const open = new Set<Socket>();
const state = { up: 0, down: 0, breaks: 0 };
let breakAt = Infinity;

// Half open: what is held back must still go out after the other end has said its last.
const server = createServer({ allowHalfOpen: true }, (client) => {
  const store = connect({ host: target.hostname, port: Number(target.port), allowHalfOpen: true });
  for (const socket of [client, store]) {
    open.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => undefined);
    socket.on("close", (failed) => {
      open.delete(socket);
      if (!failed) return;
      client.destroy();
      store.destroy();
    });
  }
  pace(client, store, "up");
  pace(store, client, "down");
});

/** Passes on what comes, no faster than the line; what it holds back is one chunk. */
function pace(from: Socket, to: Socket, way: "up" | "down"): void {
  let due = performance.now();
  from.on("data", (chunk: Buffer) => {
    due = Math.max(due, performance.now()) + (chunk.length / bytesPerSecond) * 1000;
    from.pause();
    setTimeout(
      () => {
        state[way] += chunk.length;
        if (state.up + state.down >= breakAt) breakAll();
        if (to.writable) to.write(chunk, () => from.resume());
        else from.destroy();
      },
      Math.max(0, due - performance.now()),
    );
  });
  from.on("end", () => setTimeout(() => to.end(), Math.max(0, due - performance.now())));
}

function breakAll(): void {
  breakAt = Infinity;
  state.breaks += 1;
  for (const socket of open) socket.resetAndDestroy();
}

async function handle({ breakAfter }: LineOrder): Promise<LineState> {
  if (!server.listening) await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // a TCP server's is never a string
  const answer = { ...state, endpoint: `http://127.0.0.1:${port}` };
  if (breakAfter !== undefined) {
    Object.assign(state, { up: 0, down: 0, breaks: 0 });
    breakAt = breakAfter;
  }
  return answer;
}

// Sent by startSlowLine.
serve((order) => handle(order as LineOrder));
