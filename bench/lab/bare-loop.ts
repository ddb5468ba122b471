import type { Lab } from "./open.ts";
import { startSibling } from "./sibling.ts";

export type CopyOrder = {
  readonly bucket: string;
  /** Objects, as the sandbox generates them without a prefix. */
  readonly count: number;
  readonly destination: string;
  /** Before each key at the destination. */
  readonly prefix: string;
  readonly concurrency: number;
};

export type BareLoop = { readonly pid: number; copy(order: CopyOrder): Promise<unknown> };

/** Starts the loop of bare signed requests in a process of its own; the lab ends it. */
export async function startBareLoop({ address, stack }: Pick<Lab, "address" | "stack">): Promise<BareLoop> {
  const loop = await startSibling<CopyOrder, unknown>("../processes/bare-loop.ts", address);
  stack.defer(() => loop.stop());
  return { pid: loop.pid, copy: (order) => loop.ask(order) };
}
