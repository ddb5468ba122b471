import type { Readable } from "node:stream";
import { ActivityError } from "../../../model/activity-error.ts";
import type { Place, Span } from "../../../model/content/placed.ts";
import { retryPart } from "../retry.ts";

/** The bytes of a part. */
export type PartBody = {
  readonly pieces: AsyncIterable<Buffer>;
  /** Whether a piece may be kept; else it is only good until the next is asked for. */
  readonly areKept: boolean;
};

export type PlacedRanges = {
  /** The answer that has the whole, not yet read. */
  readonly first: Readable;
  /** Asks for it again, where it was let go of. */
  readonly openWhole: (signal: AbortSignal) => Promise<Readable>;
  readonly size: number;
  readonly partSize: number;
  /** Parts read at once. */
  readonly concurrency: number;
  /** Opens a part, or what is missing of it; `undefined` where the store ignored the range and began with the whole. */
  readonly open: (span: Span, signal: AbortSignal) => Promise<PartBody | undefined>;
  readonly signal: AbortSignal;
  /** Called with bytes as they are placed. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
};

/** Bytes of one part that are placed together: fewer and larger writes. */
const TOGETHER = 384 * 1024;

/**
 * Reads a large object in several ranges at once and hands each piece to its place as it comes: no part waits in memory for its turn. The first
 * answer, which has the whole, serves the first part, and everything where the second part shows that the store ignores ranges. A part that
 * breaks off is taken up where it broke.
 */
export async function placeRanges(ranges: PlacedRanges, have: readonly Span[], place: Place): Promise<void> {
  const { first, signal } = ranges;
  const controller = new AbortController();
  const stop = (): void => controller.abort(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  controller.signal.addEventListener("abort", () => drop(first), { once: true });
  const lanes = openLanes({ ...ranges, place, signal: controller.signal }, missingParts(ranges, have));
  try {
    const ends = await Promise.allSettled(
      lanes.map(async (lane) => {
        try {
          await lane;
        } catch (error) {
          controller.abort(error);
          throw error;
        }
      }),
    );
    // The first that failed ended the others.
    if (ends.some(({ status }) => status === "rejected")) throw controller.signal.reason;
  } finally {
    signal.removeEventListener("abort", stop);
    drop(first);
  }
}

/** What is not there yet, cut where parts begin, so that a later attempt asks for the same. */
function missingParts({ size, partSize }: PlacedRanges, have: readonly Span[]): Span[] {
  const parts: Span[] = [];
  let at = 0;
  for (const { start, end } of [...have, { start: size, end: size }]) {
    while (at < start) {
      const next = Math.min(start, (Math.floor(at / partSize) + 1) * partSize);
      parts.push({ start: at, end: next });
      at = next;
    }
    at = Math.max(at, end);
  }
  return parts;
}

type Placing = PlacedRanges & { readonly place: Place };

/** What reads at once. Only one asks for a range until the store has shown that it takes them. */
function openLanes(placing: Placing, parts: readonly Span[]): Promise<void>[] {
  const { concurrency, size, signal } = placing;
  const whole = readWhole(placing, parts);
  const fromStart = parts[0]?.start === 0;
  if (parts.length === 0) return [];
  if (concurrency === 1 || (fromStart && parts.length === 1)) return [inOneLine(placing, parts, whole)];
  const takesRanges = Promise.withResolvers<boolean>();
  // Whoever waits for the answer must not wait for ever where nobody gets one.
  signal.addEventListener("abort", () => takesRanges.resolve(false), { once: true });
  const queue = parts.values();
  const first = fromStart ? queue.next().value : undefined;
  const rest = async (): Promise<void> => {
    for (const part of queue) if (!(await readPart(placing, part))) throw ignored(part);
  };
  const opening = async (): Promise<void> => {
    if (first !== undefined) await readOpening(placing, first, whole);
    if (!(await takesRanges.promise)) {
      signal.throwIfAborted();
      return await whole.readTo(size);
    }
    drop(placing.first);
    await rest();
  };
  const probing = async (part: Span): Promise<void> => {
    if (await readPart(placing, part, takesRanges.resolve)) await rest();
  };
  const later = async (): Promise<void> => {
    if (await takesRanges.promise) await rest();
  };
  const probed = queue.next();
  if (probed.done === true) return [];
  const more = Math.max(0, Math.min(concurrency, parts.length) - 2);
  return [opening(), probing(probed.value), ...Array.from({ length: more }, later)];
}

/** One request after the other: the whole where nothing lies between what is missing, else range by range. */
async function inOneLine(placing: Placing, parts: readonly Span[], whole: Whole): Promise<void> {
  const end = parts.at(-1)?.end ?? 0;
  const isGapless = parts.reduce((sum, part) => sum + part.end - part.start, 0) === end;
  if (isGapless) return await readOpening(placing, { start: 0, end }, whole);
  for (const [index, part] of parts.entries()) {
    if (await readPart(placing, part)) continue;
    if (index > 0) throw ignored(part);
    return await whole.readTo(placing.size);
  }
}

/** A part out of the answer that has the whole; by ranges what is missing of it where that breaks off. */
async function readOpening(placing: Placing, { end }: Span, whole: Whole): Promise<void> {
  try {
    await whole.readTo(end);
  } catch (error) {
    if (placing.signal.aborted || !isRetryable(error)) throw error;
    if (!(await readPart(placing, { start: whole.at(), end }))) throw error;
  }
}

type Whole = {
  /** Places what lies before `end` and is missing. */
  readTo(end: number): Promise<void>;
  /** How far it was read. */
  at(): number;
};

function readWhole(placing: Placing, parts: readonly Span[]): Whole {
  let opened: AsyncIterator<Buffer> | undefined;
  let at = 0;
  let beyond: Buffer | undefined;
  const open = async (): Promise<AsyncIterator<Buffer>> => {
    const { first, openWhole, signal } = placing;
    if (!first.destroyed) return first.iterator({ destroyOnReturn: false });
    const whole = await openWhole(signal);
    signal.addEventListener("abort", () => drop(whole), { once: true });
    return whole.iterator();
  };
  async function* upTo(end: number): AsyncGenerator<Buffer> {
    while (at < end) {
      opened ??= await open();
      const chunk = beyond ?? (await opened.next()).value;
      // The body itself errors where less comes than was promised.
      if (chunk === undefined) return;
      const mine = chunk.subarray(0, end - at);
      beyond = mine.length < chunk.length ? chunk.subarray(mine.length) : undefined;
      yield mine;
      at += mine.length;
    }
  }
  return {
    at: () => at,
    async readTo(end) {
      const gathered = gather(placing);
      try {
        for await (const chunk of upTo(end))
          for (const { start, end: stop } of parts) {
            const from = Math.max(start, at);
            const to = Math.min(stop, at + chunk.length);
            if (from < to) await gathered.add(chunk.subarray(from - at, to - at), from);
          }
      } finally {
        await gathered.flush();
      }
    },
  };
}

/** Reads one part, again from where it broke off after trouble. False where the store ignored the range. */
async function readPart(
  placing: Placing,
  { start, end }: Span,
  onBegun?: (isRanged: boolean) => void,
): Promise<boolean> {
  const { open, signal } = placing;
  let at = start;
  return await retryPart(async () => {
    if (at === end) return true;
    const body = await open({ start: at, end }, signal);
    onBegun?.(body !== undefined);
    if (body === undefined) return false;
    const gathered = gather(placing, body.areKept ? TOGETHER : 0);
    try {
      for await (const chunk of body.pieces) {
        await gathered.add(chunk, at);
        at += chunk.length;
      }
    } finally {
      await gathered.flush();
    }
    return true;
  }, signal);
}

/** Pieces that follow one another, placed together once there are so many bytes of them. */
function gather({ place, onBytes }: Placing, together = TOGETHER) {
  let held: Buffer[] = [];
  let start = 0;
  let length = 0;
  const flush = async (): Promise<void> => {
    if (length === 0) return;
    const [chunks, at, bytes] = [held, start, length];
    held = [];
    length = 0;
    await place(chunks, at);
    onBytes?.(bytes);
  };
  const add = async (chunk: Buffer, at: number): Promise<void> => {
    if (length > 0 && at !== start + length) await flush();
    if (length === 0) start = at;
    held.push(chunk);
    length += chunk.length;
    if (length >= together) await flush();
  };
  return { add, flush };
}

/** Errors of what is thrown away have no reader any more. */
function drop(body: Readable): void {
  body.on("error", () => undefined).destroy();
}

function ignored({ start, end }: Span): ActivityError {
  const sentence = `expected bytes ${start} to ${end - 1} of an object, got the whole of it`;
  return new ActivityError("UnprovenResponse", sentence, { retryable: true });
}

function isRetryable(error: unknown): boolean {
  return error instanceof ActivityError && error.retryable;
}
