import { setTimeout as sleep } from "node:timers/promises";
import type { ReportRow } from "../../../batches/report/row.ts";
import type { BatchStatus } from "../../../producer/batches.ts";
import type { Sandbox } from "../../../sandbox/index.ts";
import type { Goods, Item } from "./goods.ts";
import type { Scene } from "./scene.ts";

/** Of one kind of problem so many are told. */
const TOLD = 3;
const LET_GO_MS = 10_000;

/** Compares the report with what is there, object by object; answers what is not true. */
export async function judgeBatch(scene: Scene, status: BatchStatus): Promise<readonly string[]> {
  const { goods, run, batch, stack } = scene;
  const problems = collect();
  const rows = new Map<string, ReportRow>();
  for await (const row of batch.report()) {
    if (rows.has(row.key)) problems.add("an object has two rows", row.key);
    rows.set(row.key, row);
  }
  judgeCounts(status, rows, problems.add);
  const cancelled = run.troubles.includes("cancel");
  for (const item of goods.items.values()) {
    const row = rows.get(item.key);
    rows.delete(item.key);
    if (row === undefined && item.arrived !== true && !cancelled) problems.add("an object has no row", item.key);
    for (const problem of judgeItem(stack.sandbox, goods, item, row)) problems.add(problem, describe(item, row));
  }
  for (const key of rows.keys()) problems.add("a row is about no object of the source", key);
  for (const [bucket, key, content] of goods.bystanders)
    if (stack.sandbox.text(bucket, key) !== content) problems.add("a bystander was touched", `${bucket}/${key}`);
  await judgeUploads(scene, problems.add);
  return problems.told();
}

type Add = (problem: string, about: string) => void;

function judgeCounts(status: BatchStatus, rows: ReadonlyMap<string, ReportRow>, add: Add): void {
  const told = { succeeded: 0, failed: 0, skipped: 0, unattempted: 0 };
  const errors: Record<string, number> = {};
  let bytes = 0;
  for (const row of rows.values()) {
    told[row.status]++;
    if (row.status === "succeeded") bytes += row.bytes ?? 0;
    if (row.status === "failed") errors[row.code ?? ""] = (errors[row.code ?? ""] ?? 0) + 1;
  }
  const { listed, succeeded, failed, skipped, unattempted } = status;
  const sum = succeeded + failed + skipped + unattempted;
  if (listed !== sum) add("listed is not succeeded + failed + skipped + unattempted", `${listed} and ${sum}`);
  if (listed !== rows.size) add("listed is not the number of rows", `${listed} and ${rows.size}`);
  for (const [name, count] of Object.entries(told))
    if (count !== status[name as keyof typeof told]) add(`the count of ${name} is not that of the rows`, `${count}`); // its own key
  if (bytes !== status.bytes) add("bytes are not those of the rows", `${status.bytes} and ${bytes}`);
  if (JSON.stringify(sorted(errors)) !== JSON.stringify(sorted(status.errors)))
    add("errors by code are not those of the rows", JSON.stringify(status.errors));
}

const sorted = (record: Readonly<Record<string, number>>) =>
  Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1));

type Seen = {
  readonly source: Buffer | undefined;
  readonly target: Buffer | undefined;
  readonly sourceOriginal: boolean;
  readonly sourceNewer: boolean;
  readonly targetOriginal: boolean;
  readonly targetNewer: boolean;
};

function* judgeItem(sandbox: Sandbox, goods: Goods, item: Item, row: ReportRow | undefined): Generator<string> {
  const seen = look(sandbox, goods, item);
  const { sourceOriginal, sourceNewer, targetOriginal, targetNewer } = seen;
  if (item.newer !== undefined) {
    if (!sourceNewer && !targetNewer && !inVersions(sandbox, goods, item)) yield "what somebody else wrote is gone";
  } else if (!sourceOriginal && !targetOriginal) yield "the content is at neither end";
  if (item.conflict !== undefined && sandbox.text(goods.to, item.target) !== item.conflict)
    yield "what lay at the destination was touched";
  if (row === undefined) {
    if (!sourceOriginal && !sourceNewer) yield "an object without a row left the source";
    return;
  }
  if (row.destinationBucket !== goods.to || row.destinationKey !== item.target)
    yield "the row names another destination";
  if (row.status === "succeeded") yield* judgeSuccess(sandbox, goods, { item, row, seen });
  else yield* judgeRest({ item, row, seen });
}

type Told = { readonly item: Item; readonly row: ReportRow; readonly seen: Seen };

function* judgeSuccess(sandbox: Sandbox, goods: Goods, { item, row, seen }: Told): Generator<string> {
  const { sourceOriginal, sourceNewer, targetOriginal, targetNewer } = seen;
  if (!targetOriginal && !targetNewer) yield "a success without the content at the destination";
  if (sourceOriginal) yield "a success with the source still there";
  if (targetOriginal && item.newer !== undefined && !sourceNewer && !inVersions(sandbox, goods, item))
    yield "a success whose newer source is gone";
  const view = sandbox.object(goods.to, item.target);
  if (view === undefined) return;
  if (row.etag !== view.etag) yield "the row's ETag is not the object's";
  if (row.bytes !== view.size) yield "the row's bytes are not the object's";
  if (row.verified === undefined) yield "the row does not say what proved the copy";
  const complete = view.metadata["by"] === "them" && view.tags["of"] === "theirs";
  if (item.large && targetOriginal && !complete) yield "a large copy lacks its metadata or tags";
}

function* judgeRest({ item, row, seen }: Told): Generator<string> {
  const { sourceOriginal, sourceNewer, targetOriginal, targetNewer, target } = seen;
  if (row.code === undefined || row.message === undefined) yield `a ${row.status} row does not say why`;
  if (row.code === "InternalError" && row.httpStatus === undefined)
    yield "a row tells of a failure of the worker itself";
  if (sourceOriginal || sourceNewer) {
    const told = row.message?.includes("may have left a copy") === true;
    if (row.status === "unattempted" && target !== undefined && item.conflict === undefined && !told)
      yield "an unattempted object is at the destination";
    if (row.message?.includes("both are kept") === true && !targetOriginal && !targetNewer)
      yield "a row says that both are kept, the copy is not";
    return;
  }
  if (row.status !== "failed") yield `a ${row.status} object left the source`;
  else if (row.message?.includes("kept") === true) yield "a row says that the source is kept, it is gone";
  else if (!row.message?.includes("may"))
    yield "a failed object left the source, and the row does not say that it may have";
}

function look(sandbox: Sandbox, goods: Goods, item: Item): Seen {
  const original = goods.original(item);
  const source = sandbox.bytes(goods.from, item.key);
  const target = sandbox.bytes(goods.to, item.target);
  const newer = item.newer === undefined ? undefined : Buffer.from(item.newer);
  return {
    source,
    target,
    sourceOriginal: is(source, original),
    sourceNewer: is(source, newer),
    targetOriginal: is(target, original),
    targetNewer: is(target, newer),
  };
}

const is = (bytes: Buffer | undefined, wanted: Uint8Array | undefined): boolean =>
  bytes !== undefined && wanted !== undefined && bytes.equals(wanted);

/** A versioned bucket keeps what was deleted by its name alone. */
function inVersions(sandbox: Sandbox, goods: Goods, item: Item): boolean {
  return sandbox
    .versions(goods.from, item.key)
    .some(
      ({ versionId, deleteMarker }) => !deleteMarker && sandbox.text(goods.from, item.key, versionId) === item.newer,
    );
}

/** An upload whose id was lost with the answer, or with its worker, has no parts; nobody can tell it from other people's. */
async function judgeUploads({ stack, goods }: Scene, add: Add): Promise<void> {
  const left = () => stack.sandbox.uploads(goods.to).filter(({ parts }) => parts.length > 0);
  // A delivery that lost its chunk to another one may still be taking its upload away.
  for (const deadline = Date.now() + LET_GO_MS; left().length > 0 && Date.now() < deadline;) await sleep(50);
  for (const { key } of left()) add("a multipart upload with parts was left open", key);
}

const describe = (item: Item, row: ReportRow | undefined): string =>
  `${JSON.stringify(item.key)}: ${row === undefined ? "no row" : `${row.status} ${row.message ?? ""}`}${item.newer === undefined ? "" : ", overwritten"}`;

function collect() {
  const found = new Map<string, string[]>();
  return {
    add: (problem: string, about: string) => void found.set(problem, [...(found.get(problem) ?? []), about]),
    told: () =>
      [...found].map(([problem, about]) => `${problem} (${about.length}): ${about.slice(0, TOLD).join("; ")}`),
  };
}
