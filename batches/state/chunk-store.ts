import { randomBytes } from "node:crypto";
import type { LuaScript } from "../../redis/scripts/load.ts";
import { type BatchKeys, bitOf, chunkName } from "./keys.ts";
import type { BatchState } from "./status.ts";
import type { BatchStore } from "./store.ts";
import {
  beginChunk,
  checkpointChunk,
  commitChunk,
  finishChunk,
  finishPlan,
  parkChunk,
  rememberInChunk,
} from "./chunk-scripts.ts";
import {
  replyBuffer,
  replyList,
  replyText,
  runScript,
  type ScriptArguments,
  type ScriptReply,
} from "../../redis/scripts/run.ts";

/**
 * Bytes of the lists of open chunks from which on no more are opened. A thousand objects take some 25 KB, but a megabyte where their keys are as long
 * as S3 allows and tell nothing of each other.
 */
const MAX_OPEN_BYTES = 16 * 1024 ** 2;

/** Names one chunk of one batch. */
export type ChunkRef = { readonly batch: string; readonly chain: number; readonly n: number };

/** A delivery of a chunk: later ones push it out, and then nothing that it writes counts any more. */
export type Delivery = {
  readonly ref: ChunkRef;
  /** Which delivery it is: phase, number, and a nonce. */
  readonly owner: string;
  readonly state: BatchState;
  readonly manifest: Buffer;
  readonly conflicts: string | undefined;
  readonly checkpoints: readonly string[];
};

export type Begun =
  | { readonly what: "gone" | "done" | "closed" | "parked" | "full" }
  | {
      readonly what: "list";
      readonly cursor: string;
      readonly planned: number | undefined;
      readonly hasPlan: boolean;
      /** Which run of the batch the cursor belongs to; a page is committed with it. */
      readonly run: string;
    }
  | { readonly what: "work"; readonly delivery: Delivery };

export type Page = {
  /** As it was begun with. */
  readonly run: string;
  readonly count: number;
  readonly bytes: number;
  readonly filtered: number;
  readonly cursor: string;
  /** The chain ends with it. */
  readonly last: boolean;
  readonly manifest: Buffer;
  readonly maxObjects?: number | undefined;
  readonly maxBytes?: number | undefined;
  /** It was cut, so that the batch ends with it. */
  readonly cap?: string | undefined;
  /** It was committed before, and Redis forgot. */
  readonly kept?: boolean;
  /** False where the caller only hands it on. */
  readonly work: boolean;
};

export type Committed =
  /** `adopted`: another delivery was first; begin again to get what it wrote. */
  | { readonly what: "gone" | "closed" | "done" | "adopted" }
  /** How much room the caps leave; -1 for any. */
  | { readonly what: "cap"; readonly objects: number; readonly bytes: number }
  | {
      readonly what: "committed";
      /** Absent where the page held nothing to do, or is handed on. */
      readonly delivery: Delivery | undefined;
      readonly last: boolean;
      readonly open: number;
      readonly priority: number;
    };

/** What happened since it was last told. */
export type Progress = {
  /** For the throughput: objects that came to an end, and bytes of those that succeeded. */
  readonly objects: number;
  readonly bytes: number;
  /** Requests. */
  readonly lists: number;
  readonly heads: number;
  readonly copies: number;
  readonly deletes: number;
};

export type Tally = {
  readonly succeeded: number;
  readonly failed: number;
  readonly skipped: number;
  readonly unattempted: number;
  readonly bytes: number;
  readonly segment: boolean;
  readonly errors: ReadonlyMap<string, number>;
  /** Rows of failures, newest last. */
  readonly recent: readonly string[];
  readonly progress: Progress;
  readonly threshold: { readonly ratio: number; readonly minimum: number; readonly error: string };
};

/** The state of chunks in Redis; each call is one script. */
export type ChunkStore = ReturnType<typeof createChunkStore>;

export function createChunkStore(store: BatchStore) {
  const run = runnerOf(store);
  return { ...pages(run), ...deliveries(store, run), ...ends(run) };
}

type Run = ReturnType<typeof runnerOf>;

function runnerOf({ redis, keys }: BatchStore) {
  return <Argument extends string>(
    script: LuaScript<keyof BatchKeys | "chunk", Argument>,
    { batch, chain, n }: ChunkRef,
    args: ScriptArguments<Argument>,
  ): Promise<ScriptReply> =>
    runScript(redis, script, { ...keys.ofBatch(batch), chunk: keys.chunk(batch, chunkName(chain, n)) }, args);
}

/** How a chunk comes to be, and to whoever works on it. */
function pages(run: Run) {
  return {
    async begin(ref: ChunkRef, limit: number): Promise<Begun> {
      const { chain, n } = ref;
      const args = { chain, n, name: nameOf(ref), bit: bit(ref), limit, bytes: MAX_OPEN_BYTES, nonce: nonce() };
      return begunOf(ref, replyList(await run(beginChunk, ref, args)));
    },

    async commit(ref: ChunkRef, page: Page): Promise<Committed> {
      return committedOf(ref, replyList(await run(commitChunk, ref, commitArguments(ref, page))));
    },
  };
}

/** What a delivery writes down while it is at work. */
function deliveries({ redis, keys, nonce: nonceOf }: BatchStore, run: Run) {
  return {
    /** The batch's state, or `superseded`; and what is now written. Durable when it resolves, as far as Redis is. */
    async checkpoint(
      { ref, owner }: Delivery,
      known: Pick<Tally, "progress" | "threshold"> & { readonly group: string; readonly live: string },
    ) {
      const { group, live, progress, threshold } = known;
      const args = { name: nameOf(ref), owner, group, live, ...progress, ...threshold };
      const reply = replyList(await run(checkpointChunk, ref, args));
      const fields = { o: owner, g: replyText(reply[2]) };
      return { state: stateOf(reply), written: { key: keys.chunk(ref.batch, nameOf(ref)), fields } };
    },

    /** False where another delivery has the chunk. An empty value forgets. */
    async remember({ ref, owner }: Delivery, field: string, value: string): Promise<boolean> {
      const reply = replyList(await run(rememberInChunk, ref, { owner, field, value }));
      return replyText(reply[0]) === "ok";
    },

    /** What tells the batch's record from an earlier one of its id. */
    nonceOf: ({ batch }: ChunkRef): Promise<string> => nonceOf(batch),

    /** Whether a report under this delivery's number is another one's: Redis counts deliveries anew where it went back in time. */
    async sharesNumber({ ref, owner }: Delivery): Promise<boolean> {
      const number = owner.split(".")[1];
      const [taken, segment, retaken] = await Promise.all([
        redis.hget(keys.chunk(ref.batch, nameOf(ref)), "k"),
        redis.getbit(keys.segments(ref.batch), bit(ref)),
        redis.hget(keys.retaken(ref.batch), nameOf(ref)),
      ]);
      return taken === number || (segment === 1 && (retaken ?? "1") === number);
    },

    recall: (delivery: Delivery, field: string): Promise<string | null> =>
      redis.hget(keys.chunk(delivery.ref.batch, nameOf(delivery.ref)), field),
  };
}

/** How a delivery ends. */
function ends(run: Run) {
  return {
    async park({ ref, owner }: Delivery) {
      const reply = await run(parkChunk, ref, { name: nameOf(ref), owner });
      const priority = replyList(reply)[2];
      return { state: stateOf(reply), priority: priority === undefined ? undefined : Number(replyText(priority)) };
    },

    async finish({ ref, owner }: Delivery, tally: Tally) {
      const { succeeded, failed, skipped, unattempted, bytes, segment, errors, recent, progress, threshold } = tally;
      const counts = { succeeded, failed, skipped, unattempted, size: bytes, segment: segment ? 1 : 0 };
      const failures = [...[...errors].flat(), ...recent];
      const told = { ...counts, ...progress, ...threshold, codes: errors.size, failures };
      return stateOf(await run(finishChunk, ref, { name: nameOf(ref), owner, bit: bit(ref), ...told }));
    },

    async finishPlan({ ref, owner }: Delivery, counts: Readonly<Record<string, number>>) {
      const counters = Object.entries(counts).flat();
      return stateOf(await run(finishPlan, ref, { name: nameOf(ref), owner, bit: bit(ref), counters }));
    },
  };
}

function begunOf(ref: ChunkRef, reply: readonly ScriptReply[]): Begun {
  const what = replyText(reply[0]);
  if (what === "list") {
    const planned = replyText(reply[2]);
    return {
      what,
      cursor: replyText(reply[1]),
      planned: planned === "" ? undefined : Number(planned),
      hasPlan: reply[3] === 1,
      run: replyText(reply[4]),
    };
  }
  if (what !== "work") return { what: what as "gone" | "done" | "closed" | "parked" | "full" }; // the script's other answers
  const checkpoints = replyList(reply[5] ?? []).map(replyText);
  const conflicts = reply[4] === null ? undefined : replyText(reply[4]);
  return { what, delivery: deliveryOf(ref, reply, { conflicts, checkpoints }) };
}

function committedOf(ref: ChunkRef, reply: readonly ScriptReply[]): Committed {
  const what = replyText(reply[0]);
  if (what === "cap") return { what, objects: Number(replyText(reply[1])), bytes: Number(replyText(reply[2])) };
  if (what !== "committed") return { what: what as "gone" | "closed" | "done" | "adopted" }; // the script's other answers
  const delivery =
    replyText(reply[2]) === "" ? undefined : deliveryOf(ref, reply, { conflicts: undefined, checkpoints: [] });
  return {
    what,
    delivery,
    last: replyText(reply[4]) === "1",
    open: Number(reply[5]),
    priority: Number(replyText(reply[6])),
  };
}

function commitArguments(ref: ChunkRef, page: Page) {
  const { last, work, maxObjects = "", maxBytes = "", cap = "", kept = false } = page;
  const { run, count, bytes, filtered, cursor, manifest } = page;
  const place = { chain: ref.chain, n: ref.n, name: nameOf(ref), bit: bit(ref), run, nonce: nonce() };
  const found = { count, bytes, filtered, cursor, last: last ? 1 : 0, manifest };
  return { ...place, ...found, maxObjects, maxBytes, cap, kept: kept ? 1 : 0, work: work ? 1 : 0 };
}

/** Tells owners of a chunk apart, also where Redis went back in time and counts deliveries anew. */
function nonce(): string {
  return randomBytes(6).toString("hex");
}

function nameOf({ chain, n }: ChunkRef): string {
  return chunkName(chain, n);
}

function bit({ chain, n }: ChunkRef): number {
  return bitOf(chain, n);
}

function stateOf(reply: ScriptReply): BatchState | "superseded" {
  const [what, state] = replyList(reply).map(replyText);
  return what === "ok" ? (state as BatchState) : "superseded"; // only the scripts write states
}

function deliveryOf(
  ref: ChunkRef,
  reply: readonly ScriptReply[],
  rest: Pick<Delivery, "conflicts" | "checkpoints">,
): Delivery {
  const [, state, owner, manifest] = reply;
  return {
    ref,
    owner: replyText(owner),
    state: replyText(state) as BatchState,
    manifest: replyBuffer(manifest),
    ...rest,
  }; // as above
}
