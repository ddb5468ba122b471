import type { Readable } from "node:stream";
import { ActivityError } from "../../../model/activity-error.ts";
import type { Span } from "../../../model/content/placed.ts";
import type { MemoryBudget } from "../memory-budget.ts";
import { pulledStream } from "./pulled-stream.ts";
import { retryPart } from "../retry.ts";

export type RangedBody = {
  /** All bytes in order, already under way. */
  readonly first: Readable;
  readonly size: number;
  readonly partSize: number;
  /** Parts read at once. */
  readonly concurrency: number;
  /** Opens a part, or what is missing of it; `undefined` where the store ignored the range and began with the whole. */
  readonly open: (span: Span, signal: AbortSignal) => Promise<Readable | undefined>;
  readonly budget: MemoryBudget;
  readonly signal: AbortSignal;
};

/** How many times the parts at once may be on their way or wait for their turn. */
const AHEAD = 2;

/** A part that is read before its turn. */
type Ahead = {
  readonly chunks: Buffer[];
  state: "reading" | "done" | "ignored" | "failed";
  error?: unknown;
  wake(): void;
};

/**
 * Reads a large object in several ranges at once and hands its bytes on in order. The first answer, which has the whole, serves the first part,
 * and all of them where the second part shows that the store ignores ranges. A part that breaks off is taken up where it broke.
 * Holds at most twice `concurrency` parts, fewer where the budget is spent: the part whose turn it is then goes straight to the reader.
 */
export function rangedBody(options: RangedBody): Readable {
  const { first, signal } = options;
  const controller = new AbortController();
  const onAbort = (): void => {
    controller.abort(signal.reason);
    body.destroy(asError(signal.reason));
  };
  const body = pulledStream(inOrder(options, controller.signal), () => {
    signal.removeEventListener("abort", onAbort);
    controller.abort(new Error("the reader has let go"));
    first.on("error", () => undefined).destroy();
  });
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  return body;
}

async function* inOrder(options: RangedBody, signal: AbortSignal): AsyncGenerator<Buffer> {
  const { size, partSize, first } = options;
  const count = Math.ceil(size / partSize);
  const window = readAheadWindow(options, count, signal);
  const opening = openingOf(options, signal);
  try {
    yield* opening.part();
    for (let turn = 1; turn < count; turn += 1) {
      const part = window.partOf(turn);
      const ignored = yield* part === undefined ? straight(options, spanOf(turn, options), signal) : taken(part);
      if (ignored && turn === 1) {
        yield* opening.rest();
        return;
      }
      if (ignored)
        throw new ActivityError("UnprovenResponse", `expected range ${turn} of an object, got the whole of it`);
      if (turn === 1) first.on("error", () => undefined).destroy();
      window.passed(turn);
    }
  } finally {
    window.close();
  }
}

/** The parts that are read before their turn, as many as concurrency and memory allow. */
function readAheadWindow(options: RangedBody, count: number, signal: AbortSignal) {
  const { partSize, concurrency, budget } = options;
  const ahead = new Map<number, Ahead>();
  let turn = 0;
  let next = 1;
  let takesRanges = false;
  /** Parts on their way, the one whose turn it is among them where it goes straight to the reader. */
  const onTheWay = (): number =>
    [...ahead.values()].filter(({ state }) => state === "reading").length + (ahead.has(turn) ? 0 : 1);
  const startMore = (): void => {
    // The second part goes alone until the store has shown that it takes ranges. Whole parts may wait for their turn, so that the lines
    // are not idle while the reader catches up.
    const limit = Math.min(count, takesRanges ? turn + AHEAD * concurrency : 2);
    while (next < limit && onTheWay() < concurrency && !signal.aborted && budget.tryTake(partSize)) {
      ahead.set(next, readAhead(options, spanOf(next, options), { onBegun, onSettled: startMore }, signal));
      next += 1;
    }
  };
  const onBegun = (): void => {
    takesRanges = true;
    startMore();
  };
  const drop = (number: number): void => {
    if (ahead.delete(number)) budget.give(partSize);
  };
  startMore();
  return {
    /** `undefined` where there was no memory to begin it before its turn. */
    partOf(number: number): Ahead | undefined {
      turn = number;
      next = Math.max(next, number + 1);
      return ahead.get(number);
    },
    passed(number: number): void {
      drop(number);
      turn = number + 1;
      onBegun();
    },
    close: () => [...ahead.keys()].forEach(drop),
  };
}

function spanOf(number: number, { size, partSize }: RangedBody): Span {
  return { start: number * partSize, end: Math.min(size, (number + 1) * partSize) };
}

/** The first part out of the answer that has the whole, and on demand the rest of it. */
function openingOf(options: RangedBody, signal: AbortSignal) {
  const { end } = spanOf(0, options);
  const chunks: AsyncIterator<Buffer> = options.first.iterator({ destroyOnReturn: false });
  let at = 0;
  let beyond: Buffer | undefined;
  let broken: unknown;
  async function* part(): AsyncGenerator<Buffer> {
    try {
      while (at < end) {
        const { done, value } = await chunks.next();
        if (done === true) return;
        const mine = value.subarray(0, end - at);
        beyond = value.subarray(mine.length);
        at += mine.length;
        yield mine;
      }
    } catch (error) {
      if (!isRetryable(error) || signal.aborted) throw error;
      broken = error;
      const ignored = yield* straight(options, { start: at, end }, signal);
      if (ignored) throw error;
    }
  }
  async function* rest(): AsyncGenerator<Buffer> {
    if (broken !== undefined) throw asError(broken);
    if (beyond !== undefined && beyond.length > 0) yield beyond;
    for (let step = await chunks.next(); step.done !== true; step = await chunks.next()) yield step.value;
  }
  return { part, rest };
}

type Told = { readonly onBegun: () => void; readonly onSettled: () => void };

/** Reads a part into memory, from where it broke off after trouble. */
function readAhead(
  { open }: RangedBody,
  { start, end }: Span,
  { onBegun, onSettled }: Told,
  signal: AbortSignal,
): Ahead {
  const part: Ahead = { chunks: [], state: "reading", wake: () => undefined };
  let at = start;
  const read = async (): Promise<Ahead["state"]> => {
    const body = await open({ start: at, end }, signal);
    if (body === undefined) return "ignored";
    onBegun();
    for await (const chunk of body as AsyncIterable<Buffer>) {
      at += chunk.length;
      part.chunks.push(chunk);
      part.wake();
    }
    return "done";
  };
  const settle = (state: Ahead["state"], error?: unknown): void => {
    part.state = state;
    part.error = error;
    part.wake();
    if (state === "done") onSettled();
  };
  void retryPart(read, signal).then(settle, (error: unknown) => settle("failed", error));
  return part;
}

/** What was read ahead, and what still comes; true where the store ignored the range. */
async function* taken(part: Ahead): AsyncGenerator<Buffer, boolean> {
  for (;;) {
    const chunk = part.chunks.shift();
    if (chunk !== undefined) yield chunk;
    else if (part.state === "failed") throw asError(part.error);
    else if (part.state !== "reading") return part.state === "ignored";
    else
      await new Promise<void>((resolve) => {
        part.wake = resolve;
      });
  }
}

/** A part at its reader's pace, held nowhere; true where the store ignored the range. */
async function* straight(
  { open }: RangedBody,
  { start, end }: Span,
  signal: AbortSignal,
): AsyncGenerator<Buffer, boolean> {
  let at = start;
  for (let tries = 0; at < end;) {
    try {
      const body = await retryPart(() => open({ start: at, end }, signal), signal);
      if (body === undefined) return true;
      for await (const chunk of body as AsyncIterable<Buffer>) {
        at += chunk.length;
        tries = 0;
        yield chunk;
      }
    } catch (error) {
      tries += 1;
      if (signal.aborted || !isRetryable(error) || tries > MAX_BREAKS) throw error;
    }
  }
  return false;
}

/** Breaks of one part without a byte in between. */
const MAX_BREAKS = 4;

function isRetryable(error: unknown): boolean {
  return error instanceof ActivityError && error.retryable;
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
