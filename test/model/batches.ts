import type { DocumentStore } from "../../documents/interface.ts";
import { manifestOfListing } from "../../batches/state/chunk-manifest.ts";
import { claimRanges, releaseRanges, whileClaimed } from "../../batches/state/claim-ranges.ts";
import type { Delivery } from "../../batches/state/chunk-store.ts";
import { placesOf, rangesOf } from "../../batches/state/ranges.ts";
import type { BatchStore } from "../../batches/state/store.ts";
import { parseBatchSpec, type BatchSpec } from "../../batches/spec/request.ts";
import { createControls } from "../../batches/run/control.ts";
import { createOutcomes } from "../../batches/run/outcomes.ts";
import { createRequestCount } from "../../batches/run/request-count.ts";
import { operation as copy } from "../../batches/operations/copy/operation.ts";
import { operation as remove } from "../../batches/operations/delete/operation.ts";
import { operation as move } from "../../batches/operations/move/operation.ts";
import { runChunk } from "../../batches/run/chunk.ts";
import { type ChunkWork, Superseded, UNLIMITED } from "../../batches/run/work.ts";
import type { ReportRow } from "../../batches/report/row.ts";
import { startDeadline } from "../../redis/deadline.ts";
import { createLeases } from "../../redis/leases.ts";
import { redisKeys } from "../../redis/keys.ts";
import { openStore } from "../../s3/create.ts";
import { ActivityError } from "../../model/activity-error.ts";
import { type Actor, actAs } from "./actor.ts";
import { type Batch, chunksOf, isTwin } from "./chunk.ts";
import { elapsed } from "./clock.ts";
import type { JobsScene } from "./jobs.ts";
import { openModelS3 } from "./transport.ts";

const LOCK_MS = 15_000;
const ENDED: readonly string[] = ["completed", "cancelled", "failed"];
const keys = redisKeys("model");
const operations = { copy, delete: remove, move } as const;

/** What the model's batches do. */
export type Verb = keyof typeof operations;
export type BatchWish = {
  readonly id: string;
  readonly verb: Verb;
  readonly from: string;
  readonly to: string;
  readonly onConflict: string;
};

/** The lanes of batches: real code from the pins to the rows, on a chunk that the model keeps. */
export function createBatches(scene: JobsScene) {
  const { world, redis, store, truth, connection } = scene;
  const batches = new Map<string, Batch>();
  const leases = createLeases(redis.client, keys);
  let deliveries = 0;

  const batchStore = {
    leases,
    ranges: (id: string) => redis.ask("ranges of a batch", () => batches.get(id)?.ranges ?? []),
    noteTrouble: () => Promise.resolve(),
    isCutOff: (id: string) =>
      redis.ask("is cut off", () => elapsed() - (batches.get(id)?.cutOffAt ?? -Infinity) < 30_000),
    glance: (id: string) => redis.ask("glance", () => ({ state: batches.get(id)?.state, active: 1 })),
  } as unknown as BatchStore; // what lanes and claims ask of it

  function workOf(
    batch: Batch,
    {
      delivery,
      signal,
      deadline,
      by,
      control,
    }: Pick<ChunkWork, "delivery" | "signal" | "deadline" | "control"> & { by: string },
  ): ChunkWork {
    const s3 = openStore(openModelS3(connection, world, store, { by }));
    const manifest = batch.manifest!; // listed before a delivery
    const documents = {
      write: async (source: string) => judgeRows(batch, source, by),
      find: () => Promise.resolve(undefined),
      delete: () => Promise.resolve(),
    } as unknown as DocumentStore; // reports are written; nothing is read
    const cut = new AbortController();
    control.stopping.addEventListener("abort", () => {
      setTimeout(() => cut.abort(new ActivityError("Cancelled", "the batch was cancelled or given up")), 1500);
    });
    return {
      batch: batch.id,
      delivery,
      spec: batch.spec,
      operation: operations[verbOf(batch)],
      pace: { take: () => Promise.resolve(true), takeMany: (wanted) => Promise.resolve(wanted) },
      manifest,
      source: s3,
      destination: s3,
      chunks: chunksOf(redis, batch),
      control,
      ending: signal,
      deadline,
      outcomes: createOutcomes(manifest),
      signal: AbortSignal.any([signal, cut.signal]),
      documents,
      onChunk: undefined,
      replicas: undefined,
      limiter: UNLIMITED,
      concurrency: 4,
      mayTouch: () => true,
      started: new Uint8Array(manifest.keys.length),
      requests: createRequestCount(),
      ticked: { objects: 0, bytes: 0 },
      noteTrouble: () => Promise.resolve(),
      noteCutOff: () =>
        redis.ask("note what is cut off", () => {
          batch.cutOffAt = elapsed();
        }),
      fatal: undefined,
    };
  }

  /** Each row against what is there when it is written down. */
  function judgeRows(batch: Batch, report: string, by: string): void {
    const { spec } = batch;
    for (const line of report.split("\n")) {
      if (line === "") continue;
      const row = JSON.parse(line) as ReportRow;
      const place = { bucket: row.bucket, key: row.key };
      const id = batch.pinned.get(row.key) ?? 0;
      const now = store.current(place);
      if (row.status === "succeeded") scene.meet(`${spec.operation} of a bucket done, rows`);
      const told = `${by}: the row of ${row.bucket}/${row.key} says ${row.status} ${row.code ?? ""}`;
      if (row.status === "succeeded" && spec.operation !== "copy" && now?.id === id)
        truth.complain(`${told}, and the object is still there`);
      if (row.status === "succeeded" && spec.operation !== "delete") {
        const to = { bucket: spec.destination?.bucket ?? "", key: row.key };
        if (!truth.etagsAt(to).has(batch.manifest?.etags[batch.manifest.keys.indexOf(row.key)] ?? ""))
          truth.complain(`${told}, and no copy ever came there`);
      }
      const saysKept = row.status === "unattempted" || /\bkept\b/.test(row.message ?? "");
      const hasDeleted = truth.deletedBy(id)?.startsWith(nameOf(batch, "")) === true && !truth.deletedMeanwhile(id, by);
      if (saysKept && hasDeleted && !isTwin(batch, row.key, now))
        truth.complain(`${told}, and this batch has deleted it`);
      // Of a batch that goes on, another delivery may still do it.
      if (saysKept && now?.id === id && batch.state !== "running") truth.saysKept(id, nameOf(batch, ""));
    }
  }

  const readyBatches = (): Batch[] =>
    [...batches.values()].filter(
      ({ state, lockedUntil, delayedUntil }) =>
        ![...ENDED, "paused"].includes(state) && lockedUntil <= elapsed() && delayedUntil <= elapsed(),
    );

  const claim = (): { batch: Batch; token: string } | undefined => {
    const ready = readyBatches();
    if (ready.length === 0) return undefined;
    const batch = world.random.pick(ready);
    Object.assign(batch, { lockedUntil: elapsed() + LOCK_MS, token: `b${++deliveries}` });
    return { batch, token: batch.token };
  };

  async function deliver(): Promise<boolean> {
    const claimed = await redis.ask("take a chunk", claim);
    if (claimed === undefined) return false;
    const { batch, token } = claimed;
    const by = nameOf(batch, token);
    const deadline = startDeadline({ lockMs: LOCK_MS, sentAt: performance.now(), name: batch.id });
    const lost = new AbortController();
    deadline.signal.addEventListener("abort", () => lost.abort(deadline.signal.reason));
    const renewal = setInterval(() => {
      const sentAt = performance.now();
      const held = redis.ask("renew a chunk's lock", () => {
        if (batch.token !== token || batch.lockedUntil <= elapsed()) return false;
        batch.lockedUntil = elapsed() + LOCK_MS;
        return true;
      });
      const reason = new ActivityError("LockLost", "the chunk is another's", { retryable: true });
      void held.then((is) => (is ? deadline.confirm(sentAt) : lost.abort(reason)));
    }, LOCK_MS / 4);
    const controls = createControls(batchStore);
    const release = (delay: number): Promise<void> =>
      redis.ask("give a chunk back", () => {
        if (batch.token === token) Object.assign(batch, { lockedUntil: 0, delayedUntil: elapsed() + delay });
      });
    try {
      await work(batch, { by, signal: lost.signal, deadline, controls });
      await release(0);
    } catch (error) {
      if (!(error instanceof Superseded) && !(error instanceof ActivityError) && !lost.signal.aborted)
        truth.complain(`${by}: ${error instanceof Error ? (error.stack ?? "") : String(error)}`);
      await release(2000);
    } finally {
      clearInterval(renewal);
      deadline.end();
      controls.close();
    }
    return true;
  }

  type Terms = {
    readonly by: string;
    readonly signal: AbortSignal;
    readonly deadline: ChunkWork["deadline"];
    readonly controls: ReturnType<typeof createControls>;
  };

  async function work(batch: Batch, { by, signal, deadline, controls }: Terms): Promise<void> {
    if (batch.state === "running" && !(await claimRanges(batchStore, batch.id, batch.spec)))
      throw new ActivityError("Overlap", "waits", { retryable: true });
    if (batch.manifest === undefined) {
      const source = openStore(openModelS3(connection, world, store, { by: `${by} lists` }));
      const bucket = sourceOf(batch.spec);
      const { objects } = await source.listPage({ bucket }, { signal });
      await redis.ask("commit", () => {
        if (batch.manifest !== undefined) return;
        batch.manifest = manifestOfListing(bucket, objects);
        for (const { key, etag } of objects) {
          const now = store.current({ bucket, key });
          if (now?.etag === etag) batch.pinned.set(key, now.id);
        }
      });
    }
    const delivery = await redis.ask("begin", (): Delivery => {
      // As BullMQ's stalled counter tells: whoever had it before did not give it back.
      if (batch.busy) batch.cutOffAt = elapsed();
      batch.delivery += 1;
      batch.owner = `1.${batch.delivery}.n${deliveries}`;
      batch.busy = true;
      const ref = { batch: batch.id, chain: 0, n: 0 };
      return {
        ref,
        owner: batch.owner,
        state: batch.state,
        manifest: Buffer.alloc(0),
        conflicts: batch.remembered.get("x"),
        checkpoints: [...batch.groups],
      };
    });
    const control = controls.watch(batch.id, { rate: undefined });
    try {
      const end = await whileClaimed(batchStore, batch.id, (lost) =>
        runChunk(
          workOf(batch, { delivery, signal: AbortSignal.any([signal, lost]), deadline, by, control }),
          async () => {
            await redis.ask("fail the batch", () => {
              batch.state = "failing";
            });
          },
        ),
      );
      if (end.what === "finished") await releaseRanges(batchStore, batch.id);
    } finally {
      control.release();
    }
  }

  return {
    add({ id, verb, from, to, onConflict }: BatchWish): void {
      const spec = parseBatchSpec({
        operation: verb,
        source: { bucket: from },
        ...(verb !== "delete" && { destination: { bucket: to }, onConflict }),
      });
      const end = { connection };
      const ranges = rangesOf(spec, { source: end, destination: end }, placesOf(spec, []));
      batches.set(id, {
        id,
        spec,
        ranges,
        state: "running",
        manifest: undefined,
        pinned: new Map(),
        delivery: 0,
        owner: "",
        groups: [],
        remembered: new Map(),
        busy: false,
        lockedUntil: 0,
        token: "",
        delayedUntil: 0,
        cutOffAt: -Infinity,
      });
    },
    isReady: () => readyBatches().length > 0,
    cancel(): void {
      for (const batch of batches.values()) if (batch.state === "running") batch.state = "cancelling";
    },
    loseALock(): void {
      for (const batch of batches.values()) batch.lockedUntil = 0;
    },
    get left(): number {
      return [...batches.values()].filter(({ state }) => !ENDED.includes(state)).length;
    },
    work: (actor: Actor) => actAs(actor, deliver),
  };
}

const verbOf = ({ spec }: Batch): Verb => spec.operation;

/** Whose a request is; with what it may write over. */
function nameOf(batch: Batch, token: string): string {
  const name = `${verbOf(batch)}-batch ${batch.id} ${token}`;
  return token === "" ? name : `${name} ${batch.spec.onConflict}`;
}

function sourceOf({ source }: BatchSpec): string {
  return "prefix" in source ? source.bucket : "";
}
