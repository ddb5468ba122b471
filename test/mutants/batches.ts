import type { Mutant } from "./change.ts";

const SAFETY = "batches/safety.test.ts";

/** What keeps batches from losing content, and from claiming what is not so. */
export const batchMutants: readonly Mutant[] = [
  {
    rule: "a batch that is to wait for replicas deletes nothing before they have its proofs",
    file: "batches/operations/delete/objects.ts",
    find: "  await checkpointSurviving(work);\n",
    replace: "  await checkpoint(work);\n",
    test: "test/wait-replicas.test.ts",
  },
  {
    rule: "a proof that a failover forgot is not taken for one that survives",
    file: "redis/replica-wait.ts",
    find: "    if (replies[index]?.[1] !== 1) one.reject(forgotten(one));\n    else if",
    replace: "    if",
    test: "redis/replica-wait.test.ts",
  },
  {
    rule: "batches whose moves cross do not run at once",
    file: "batches/state/claim-ranges.ts",
    find: "  if (answer.held) return true;\n",
    replace: "  return true;\n",
    test: SAFETY,
  },
  {
    rule: "a batch deletes only the object that it pinned, and not another one with the same bytes",
    file: "batches/operations/delete/unchanged.ts",
    find: ": { key, etag, size: pin.size, lastModified: pin.lastModified };",
    replace: ": { key, etag };",
    test: SAFETY,
  },
  {
    rule: "a batch deletes nothing after its job's deadline",
    file: "batches/operations/delete/objects.ts",
    find: "    return false;\n  deadline.requireDelete();\n",
    replace: "    return false;\n",
    test: SAFETY,
  },
  {
    rule: "a batch deletes nothing after a cancel",
    file: "batches/operations/delete/objects.ts",
    find: '(control.halted !== undefined && control.halted !== "yield")',
    replace: "false",
    test: SAFETY,
  },
  {
    rule: "what a cut-off delete did is looked for before a row says that it is kept",
    file: "batches/run/uncertain.ts",
    find: "  ending.throwIfAborted();\n",
    replace: "  if (ending.aborted) return;\n",
    test: SAFETY,
  },
  {
    rule: "a page is committed in its own run of the batch",
    file: "batches/state/scripts/commit-chunk.lua",
    find: "if run() ~= args.run then return {'done'} end\n",
    replace: "",
    test: SAFETY,
  },
  {
    rule: "a page is committed as the next of its chain",
    file: "batches/state/scripts/commit-chunk.lua",
    find: "number('c' .. chain .. ':next') ~= tonumber(args.n) or ",
    replace: "",
    test: SAFETY,
  },
  {
    rule: "a plan over names pins what it saw",
    file: "batches/run/plan.ts",
    find: "await pinManifest(work)",
    replace: "work.manifest",
    test: SAFETY,
  },
  {
    rule: "a source is kept where its copy was replaced, although nothing was to be",
    file: "batches/operations/move/delete-copied.ts",
    find: "await stillThere(work, indexes)",
    replace: "indexes",
    test: SAFETY,
  },
  {
    rule: "lines of a manifest that meet are found over all chunks",
    file: "batches/listing/feed.ts",
    find: "  if (by === undefined) return entry;\n",
    replace: "  if (by !== entry.key) return entry;\n",
    test: SAFETY,
  },
  {
    rule: "a retry goes on from copies that were proven",
    file: "batches/operations/copy/objects.ts",
    find: "if (copied === undefined || copied === null) return undefined;",
    replace: "if (copied !== undefined || copied !== null) return undefined;",
    test: SAFETY,
  },
  {
    rule: "a manifest that is no UTF-8 names no key",
    file: "batches/listing/manifest-lines.ts",
    find: "!isUtf8(bytes)",
    replace: "isUtf8(bytes) === undefined",
    test: SAFETY,
  },
  {
    rule: "a report is kept for its retention from the end on",
    file: "batches/report/segment.ts",
    find: "return retention + MOST_RUN_S;",
    replace: "return retention;",
    test: SAFETY,
  },
  {
    rule: "what earlier deliveries did is counted once",
    file: "batches/run/chunk.ts",
    find: "  takeProgress(work);\n",
    replace: "",
    test: SAFETY,
  },
];
