import { createHash } from "node:crypto";
import { type BatchStatus, hasEnded } from "../../batches/state/status.ts";
import type { BatchStore } from "../../batches/state/store.ts";
import { profileOf } from "../../jobs/failures.ts";
import { pickBatches } from "../watch/pick-batches.ts";
import { explained, type Place, type Problem, SHOWN, shown } from "./interface.ts";

/** The newest batches are looked at; older ones are found in the list of batches. */
const MOST = 1000;
/** Batches that a problem leads to. */
const LED_TO = 20;

type Failed = { readonly status: BatchStatus; readonly code: string; readonly count: number };
/** A problem, and the batches it is made of. */
export type BatchProblem = { readonly problem: Problem; readonly batches: readonly BatchStatus[] };

/** Batches that failed, and objects that failed in batches, by code, bucket and profile. Costs Redis a look at each batch, and a status where something failed. */
export async function readBatchGroups(store: BatchStore): Promise<BatchProblem[]> {
  const { ids, retried } = await pickBatches(store, { troubled: true }, { limit: MOST, most: MOST });
  // What was tried again is somebody's doing already.
  const statuses = await store.statuses(ids.filter((id) => !retried.has(id)));
  return [...groups("batches", statuses.flatMap(asBatch)), ...groups("batch-objects", statuses.flatMap(asObjects))];
}

function asBatch(status: BatchStatus): Failed[] {
  const failed = status.state === "failed" || status.state === "failing";
  return failed ? [{ status, code: status.error?.code ?? "UnknownError", count: 1 }] : [];
}

const asObjects = (status: BatchStatus): Failed[] =>
  Object.entries(status.errors)
    .filter(([code]) => code !== "Cancelled")
    .map(([code, count]) => ({ status, code, count }));

function groups(kind: "batches" | "batch-objects", all: readonly Failed[]): BatchProblem[] {
  const byKey = Map.groupBy(all, ({ status, code }) =>
    [kind, status.operation, code, bucketOf(status), profileOf(status.spec.credentials)].join("\n"),
  );
  return [...byKey].map(([key, failed]) => groupOf(kind, key, failed));
}

function groupOf(kind: "batches" | "batch-objects", key: string, failed: readonly Failed[]): BatchProblem {
  const sorted = failed.toSorted((a, b) => lastOf(b.status).localeCompare(lastOf(a.status)));
  const batches = sorted.map(({ status }) => status);
  const [newest] = sorted as [Failed, ...Failed[]]; // a group has at least one
  const { status, code } = newest;
  const count = failed.reduce((sum, one) => sum + one.count, 0);
  const bucket = bucketOf(status);
  const places = batches.slice(0, LED_TO).map(placeOf);
  const title =
    kind === "batches"
      ? `Batches that ${status.operation} fail with ${shown(code)}`
      : `Objects of batches fail with ${shown(code)}`;
  const ended = batches.some(({ state }) => hasEnded(state));
  const running = batches.some(({ state }) => !hasEnded(state));
  const problem: Problem = {
    id: `${kind}-${createHash("sha256").update(key).digest("hex").slice(0, 16)}`,
    kind,
    severity: "danger",
    title,
    code: shown(code),
    activity: `batch ${status.operation}`,
    ...(bucket !== "" && { bucket: shown(bucket) }),
    profile: shown(profileOf(status.spec.credentials)),
    count,
    open: batches.length,
    firstSeen: batches.map(({ createdAt }) => createdAt).toSorted()[0] ?? "",
    lastSeen: lastOf(status),
    ...(status.error && kind === "batches" && { message: shown(status.error.message, SHOWN.message) }),
    example: placeOf(status),
    related: places,
    ...explained(code),
    actions: [
      ...(ended && kind === "batch-objects" ? (["retry"] as const) : []),
      ...(running ? (["cancel"] as const) : []),
    ],
  };
  return { problem, batches };
}

const lastOf = ({ endedAt, startedAt, createdAt }: BatchStatus): string => endedAt ?? startedAt ?? createdAt;

function bucketOf({ spec }: BatchStatus): string {
  const { source } = spec;
  if ("bucket" in source && source.bucket !== undefined) return source.bucket;
  return "items" in source ? (source.items[0]?.bucket ?? "") : "";
}

function placeOf({ id, spec }: BatchStatus): Place {
  return { path: `/batches/${id}`, text: shown(spec.label ?? id) };
}
