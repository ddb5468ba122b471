import type { Mutant } from "../mutants/change.ts";

type Change = Pick<Mutant, "file" | "find" | "replace">;
/** Where one rule stands behind another, the hole is there only without both. */
type Planted = Change & { readonly rule: string; readonly also?: Change };

/** Bugs that the model must find; the first four are holes that were there once. Each is a change of the code, made in a copy of the project. */
export const planted: readonly Planted[] = [
  {
    rule: "crossing moves: an equal ETag is taken for the same object, and nobody asks who else is at work",
    file: "s3/proof/unchanged.ts",
    find: "isSameSecond(now.lastModified, pin.lastModified)",
    replace: "true",
  },
  {
    rule: "moves that cross run at once",
    file: "redis/leases.ts",
    find: "`${placeOf(endpoint)}\\n${bucket}`",
    replace: "`${placeOf(endpoint)}\\n${bucket}${Math.random()}`",
  },
  {
    rule: "a worker that is cut off from Redis goes on deleting",
    file: "redis/deadline.ts",
    find: "const age = (): number => performance.now() - confirmed;",
    replace: "const age = (): number => performance.now() - performance.now();",
    also: {
      file: "batches/operations/delete/objects.ts",
      find: "if (!control.isFresh())",
      replace: "if (control === undefined)",
    },
  },
  {
    rule: "what a job remembers is believed by the next job with its id",
    file: "redis/health/birth.ts",
    find: "`${timestamp}\\n${canonicalJson(data ?? null)}`",
    replace: '""',
  },
  {
    rule: "a move deletes without a look",
    file: "s3/requests/delete.ts",
    find: "    const now = (await lookUnchanged(store, pin, call))?.details;\n",
    replace: "    const now = (await findFacts(store, { object }, call))?.details;\n",
  },
  {
    rule: "a delete is repeated without another look",
    file: "s3/requests/delete.ts",
    find: 'if ((attempt > 1 || fast === "unknown") && (await look()) === undefined) return GONE;',
    replace: "",
  },
  {
    rule: "a null version that nobody copied is removed",
    file: "s3/requests/delete.ts",
    find: "if (now !== undefined && !named) await refuseLossOfNullVersion(store, now, call);",
    replace: "",
  },
  {
    rule: "batches whose moves cross run at once",
    file: "batches/state/claim-ranges.ts",
    find: "  if (answer.held) return true;\n",
    replace: "  return true;\n",
  },
  {
    rule: "a round of deletes hits another object with the same bytes",
    file: "s3/requests/delete-many.ts",
    find: "else if (isPinned(now, pin)) unchanged.push(item);",
    replace: "else if (now.etag === pin.etag) unchanged.push(item);",
  },
  {
    rule: "a row says that a source is kept which a cut-off delete took",
    file: "batches/run/uncertain.ts",
    find: "if (now === undefined) outcomes.succeeded(index);",
    replace: "if (now === undefined) return true;",
  },
  {
    rule: "a later attempt copies over what others wrote meanwhile",
    file: "jobs/transfer.ts",
    find: "const found = fresh ? undefined : await findBeforeCopy(input, target, pin, context);",
    replace: "const found = undefined;",
  },
  {
    rule: "versions are not asked for where the first key of a round is gone",
    file: "s3/proof/look-at-many.ts",
    find: "for (const key of tells(found.get(first)) ? [] : keys) {",
    replace: "for (const key of [] as string[]) {",
  },
  {
    rule: "a move succeeds without its delete",
    file: "jobs/move-object/handler.ts",
    find: "    const { guarantee, cutOff } = await s3.deleteUnchanged(done.pin, { signal: ending });\n",
    replace: '    const [guarantee, cutOff] = ["conditional" as const, false];\n',
  },
  {
    rule: "objects are given back while an earlier run's delete is on its way",
    file: "worker/attempt/hold-objects.ts",
    find: "let kept = again;",
    replace: "let kept = false;",
  },
];
