import { bitOf, chunkName } from "./keys.ts";
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
} from "./scripts/chunk.ts";
import {
  replyBuffer,
  replyList,
  replyText,
  runScript,
  type Script,
  type ScriptArgument,
  type ScriptReply,
} from "../../redis/script.ts";

/** Names one chunk of one batch. */
export type ChunkRef = { readonly batch: string; readonly chain: number; readonly n: number };

/** A delivery of a chunk: later ones push it out, and then nothing that it writes counts any more. */
export type Delivery = {
  readonly ref: ChunkRef;
  /** Which delivery it is: phase and number. */
  readonly owner: string;
  readonly state: BatchState;
  readonly manifest: Buffer;
  readonly conflicts: string | undefined;
  readonly checkpoints: readonly string[];
};

export type Begun =
  | { readonly what: "gone" | "done" | "closed" | "parked" | "full" }
  | { readonly what: "list"; readonly cursor: string; readonly planned: number | undefined; readonly hasPlan: boolean }
  | { readonly what: "work"; readonly delivery: Delivery };

export type Page = {
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
  /** False where the caller only hands it on. */
  readonly work: boolean;
  readonly requests: number;
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

export type Tally = {
  readonly succeeded: number;
  readonly failed: number;
  readonly skipped: number;
  readonly unattempted: number;
  readonly bytes: number;
  readonly segment: boolean;
  readonly errors: Readonly<Record<string, number>>;
  /** Rows of failures, newest last. */
  readonly recent: readonly string[];
  readonly ticked: { readonly objects: number; readonly bytes: number };
  readonly requests: { readonly head: number; readonly copy: number; readonly delete: number };
  readonly threshold: { readonly ratio: number; readonly minimum: number; readonly error: string };
};

/** The state of chunks in Redis; each call is one script. */
export type ChunkStore = ReturnType<typeof createChunkStore>;

export function createChunkStore({ redis, keys }: BatchStore) {
  const run = (script: Script, ref: ChunkRef, args: readonly ScriptArgument[]): Promise<ScriptReply> => {
    const name = chunkName(ref.chain, ref.n);
    return runScript(redis, script, [...keys.ofBatch(ref.batch), keys.chunk(ref.batch, name)], args);
  };
  return {
    async begin(ref: ChunkRef, maxOpen: number): Promise<Begun> {
      const reply = replyList(await run(beginChunk, ref, [ref.chain, ref.n, nameOf(ref), bit(ref), maxOpen]));
      const what = replyText(reply[0]);
      if (what === "list") {
        const planned = replyText(reply[2]);
        return {
          what,
          cursor: replyText(reply[1]),
          planned: planned === "" ? undefined : Number(planned),
          hasPlan: reply[3] === 1,
        };
      }
      if (what !== "work") return { what: what as "gone" | "done" | "closed" | "parked" | "full" }; // the script's other answers
      const checkpoints = replyList(reply[5] ?? []).map(replyText);
      const conflicts = reply[4] === null ? undefined : replyText(reply[4]);
      return { what, delivery: deliveryOf(ref, reply, { conflicts, checkpoints }) };
    },

    async commit(ref: ChunkRef, page: Page): Promise<Committed> {
      const {
        count,
        bytes,
        filtered,
        cursor,
        last,
        manifest,
        maxObjects = "",
        maxBytes = "",
        cap = "",
        work,
        requests,
      } = page;
      const place = [ref.chain, ref.n, nameOf(ref), bit(ref)];
      const caps = [maxObjects, maxBytes, cap];
      const args = [...place, count, bytes, filtered, cursor, last ? 1 : 0, manifest, ...caps, work ? 1 : 0, requests];
      const reply = replyList(await run(commitChunk, ref, args));
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
    },

    /** The batch's state, or `superseded`. Durable when it resolves, as far as Redis is. */
    async checkpoint(
      delivery: Delivery,
      known: Pick<Tally, "ticked" | "threshold"> & { readonly group: string; readonly live: string },
    ) {
      const { group, live, ticked, threshold } = known;
      const args = [nameOf(delivery.ref), delivery.owner, group, live, ticked.objects, ticked.bytes];
      const { ratio, minimum, error } = threshold;
      return stateOf(await run(checkpointChunk, delivery.ref, [...args, ratio, minimum, error]));
    },

    /** False where another delivery has the chunk. An empty value forgets. */
    async remember(delivery: Delivery, field: string, value: string): Promise<boolean> {
      const reply = replyList(
        await run(rememberInChunk, delivery.ref, [nameOf(delivery.ref), delivery.owner, field, value]),
      );
      return replyText(reply[0]) === "ok";
    },

    recall: (delivery: Delivery, field: string): Promise<string | null> =>
      redis.hget(keys.chunk(delivery.ref.batch, nameOf(delivery.ref)), field),

    async park(delivery: Delivery) {
      return stateOf(await run(parkChunk, delivery.ref, [nameOf(delivery.ref), delivery.owner]));
    },

    async finish(delivery: Delivery, tally: Tally) {
      const { requests, threshold, ticked } = tally;
      const args = [
        nameOf(delivery.ref),
        delivery.owner,
        bit(delivery.ref),
        tally.succeeded,
        tally.failed,
        tally.skipped,
        tally.unattempted,
        tally.bytes,
        tally.segment ? 1 : 0,
        JSON.stringify(tally.errors),
        JSON.stringify(tally.recent),
        ticked.objects,
        ticked.bytes,
        requests.head,
        requests.copy,
        requests.delete,
        threshold.ratio,
        threshold.minimum,
        threshold.error,
      ];
      return stateOf(await run(finishChunk, delivery.ref, args));
    },

    async finishPlan(delivery: Delivery, counters: Readonly<Record<string, number>>) {
      const args = [nameOf(delivery.ref), delivery.owner, bit(delivery.ref), ...Object.entries(counters).flat()];
      return stateOf(await run(finishPlan, delivery.ref, args));
    },
  };
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
