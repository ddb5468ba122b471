import { startSibling } from "./sibling.ts";

export type LineSetting = { readonly endpoint: string; readonly bytesPerSecond: number };

/** With `breakAfter` counting begins anew, and every connection is reset once so many bytes have passed; 0 or less never. */
export type LineOrder = { readonly breakAfter?: number };

export type LineState = {
  /** Where it listens. */
  readonly endpoint: string;
  /** Bytes that passed towards the store and from it, HTTP's own included. */
  readonly up: number;
  readonly down: number;
  readonly breaks: number;
};

export type SlowLine = {
  readonly endpoint: string;
  state(): Promise<LineState>;
  /** Begins to count anew, and resets every connection once so many bytes have passed. */
  breakAfter(bytes: number): Promise<void>;
};

/** A line to the store in a process of its own: a pacer in this one would measure itself. */
export async function startSlowLine(setting: LineSetting, stack: AsyncDisposableStack): Promise<SlowLine> {
  const line = await startSibling<LineOrder, LineState>("../processes/slow-line.ts", setting);
  stack.defer(() => line.stop());
  const { endpoint } = await line.ask({});
  return {
    endpoint,
    state: () => line.ask({}),
    async breakAfter(bytes) {
      await line.ask({ breakAfter: bytes > 0 ? bytes : Number.MAX_SAFE_INTEGER });
    },
  };
}
