import type { Call } from "../http/call.ts";
import type { Operation } from "../http/operation.ts";

/** What goes wrong. */
export type FaultKind =
  /** An error answer (`status`, `code`, `message`), before the effect. Default 500 InternalError. */
  | "status"
  /** 503 SlowDown, before the effect. */
  | "slow-down"
  /** The connection is reset, before the effect. */
  | "reset"
  /** The effect happens, then the connection is reset without an answer. */
  | "reset-after"
  /** No answer ever, before the effect; after it with `after: true`. */
  | "stall"
  /** The answer promises its whole length, sends `afterBytes` of it (default: half), then the connection closes. */
  | "truncate"
  /** The answer stops after `afterBytes` (default: half) and the connection stays open. */
  | "stall-body"
  /** 200 with an `<Error>` body; the effect happens only with `after: true`. */
  | "error-in-200"
  /** 200 with no body; the effect happens only with `after: true`. */
  | "empty-200"
  /** 200 with a web page, as a proxy sends it; the effect happens only with `after: true`. */
  | "html-200"
  /** A proxy's web page with `status` (default 404) and without x-amz-request-id; the effect happens only with `after: true`. */
  | "proxy-page"
  /** The answer waits `delayMs`. */
  | "latency";

/**
 * Which requests go wrong, and how.
 *
 * @example
 * import { type FaultOptions, startSandbox } from "bucketline/sandbox";
 *
 * const slow: FaultOptions = { kind: "status", status: 503, code: "SlowDown", operation: "PutObject", times: 2 };
 * await using sandbox = await startSandbox();
 * console.log(sandbox.fault(slow).hits);
 */
export type FaultOptions = {
  kind: FaultKind;
  /** Default: every operation. */
  operation?: Operation | readonly Operation[];
  bucket?: string;
  key?: string | RegExp;
  /** Only the n-th matching call, counted from 1. */
  nth?: number;
  /** Every n-th matching call. */
  every?: number;
  /** Matching calls fail with this probability (0 to 1), by a seeded sequence. */
  probability?: number;
  /** Seed of the sequence. Default 1. */
  seed?: number;
  /** At most so many times. Default: for ever; with `nth`: once. */
  times?: number;
  status?: number;
  code?: string;
  message?: string;
  delayMs?: number;
  afterBytes?: number;
  /** Where the kind allows it: let the effect happen first. */
  after?: boolean;
  /** Seconds for a Retry-After header. */
  retryAfter?: number;
};

/** A fault that was planted. */
export type Fault = {
  readonly options: FaultOptions;
  /** How often it struck. */
  readonly hits: number;
  remove(): void;
};

type Planted = Fault & { hits: number; seen: number; random: () => number };

/** The faults of one server. The first that strikes a call wins. */
export class Faults {
  #planted: Planted[] = [];

  add(options: FaultOptions): Fault {
    const planted: Planted = {
      options,
      hits: 0,
      seen: 0,
      random: sequence(options.seed ?? 1),
      remove: () => {
        this.#planted = this.#planted.filter((one) => one !== planted);
      },
    };
    this.#planted.push(planted);
    return planted;
  }

  clear(): void {
    this.#planted = [];
  }

  /** Counts the call against every fault it matches and answers the one that strikes. */
  strike(call: Call): FaultOptions | undefined {
    let struck: Planted | undefined;
    for (const fault of this.#planted) {
      if (!matches(fault.options, call)) continue;
      fault.seen++;
      if (struck === undefined && isDue(fault)) struck = fault;
    }
    if (struck === undefined) return undefined;
    struck.hits++;
    return struck.options;
  }
}

function matches(options: FaultOptions, call: Call): boolean {
  const { operation, bucket, key } = options;
  if (
    operation !== undefined &&
    !(typeof operation === "string" ? operation === call.operation : operation.includes(call.operation))
  )
    return false;
  if (bucket !== undefined && bucket !== call.bucket) return false;
  if (key === undefined) return true;
  // search() ignores lastIndex, so a global expression works too.
  return typeof key === "string" ? key === call.key : call.key.search(key) >= 0;
}

function isDue({ options, seen, hits, random }: Planted): boolean {
  const { nth, every, probability, times } = options;
  // Drawn for each matching call, so that the sequence does not depend on the other limits.
  const drawn = probability === undefined || random() < probability;
  if (times !== undefined && hits >= times) return false;
  if (nth !== undefined && seen !== nth) return false;
  if (every !== undefined && seen % every !== 0) return false;
  return drawn;
}

/** mulberry32: small, seeded, good enough to pick calls. */
function sequence(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
