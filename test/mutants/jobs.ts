import type { Mutant } from "./change.ts";

const MOVE = "jobs/move-object/safety.test.ts";
const PUT = "jobs/put-object/handler.test.ts";
const REPLICAS = "test/wait-replicas.test.ts";
const RUN = "worker/attempt/running.test.ts";

/** What keeps single jobs from losing content, and from claiming what is not so. */
export const jobMutants: readonly Mutant[] = [
  {
    rule: "a move writes its proof down before it deletes",
    file: "jobs/transfer.ts",
    find: "  if (!done.skipped) await evidence.recordCopy(done.proof);\n",
    replace: "",
    test: MOVE,
  },
  {
    rule: "a move that is to wait for replicas deletes nothing before they have its proof",
    file: "jobs/move-object/handler.ts",
    find: "    await evidence.survives(AbortSignal.any([signal, deadline.deletes, deletes]));\n",
    replace: "",
    test: REPLICAS,
  },
  {
    rule: "one object under two names is not moved onto itself",
    file: "jobs/transfer.ts",
    find: "if (mayBeOne && isSameContent(existing, source)) throw sameObject(pin, target);",
    replace: "",
    test: MOVE,
  },
  {
    rule: "a move that may not overwrite looks at its copy again before the source goes",
    file: "jobs/move-object/handler.ts",
    find: 'if (input.onConflict !== "overwrite") await requireCopyThere(proof, context);',
    replace: "",
    test: MOVE,
  },
  {
    rule: "what a move remembers is forgotten after its source changed",
    file: "jobs/move-object/handler.ts",
    find: "await evidence.forget();",
    replace: "",
    test: MOVE,
  },
  {
    rule: "moves that cross do not run at once",
    file: "worker/attempt/hold-objects.ts",
    find: "if (answer.held) return sentAt;",
    replace: "return sentAt;",
    test: MOVE,
  },
  {
    rule: "a move deletes nothing after its deadline",
    file: "jobs/move-object/handler.ts",
    find: "    deadline.requireDelete();\n",
    replace: "",
    test: MOVE,
  },
  {
    rule: "what may still take effect keeps its objects",
    file: "worker/attempt/hold-objects.ts",
    find: "if (error instanceof ActivityError && !error.retryable && !signal.aborted)",
    replace: "if (!signal.aborted)",
    test: "worker/attempt/hold-objects.test.ts",
  },
  {
    rule: "a move keeps out of the range of a batch that deletes",
    file: "redis/leases/take-objects.lua",
    find: "other ~= role and string.sub(key, 1, #prefix) == prefix then",
    replace: "false then",
    test: "redis/leases.test.ts",
  },
  {
    rule: "an upload is written down before its document goes",
    file: "jobs/put-object/handler.ts",
    find: 'await evidence.recordCopy({ ...written(object), verified: "etag" });',
    replace: "",
    test: PUT,
  },
  {
    rule: "a conditional upload is known again",
    file: "jobs/put-object/handler.ts",
    find: "mayBeDone && isRefusal(error)",
    replace: "false",
    test: PUT,
  },
  {
    rule: "what others uploaded is not taken for one's own",
    file: "jobs/put-object/handler.ts",
    find: 'return hash.digest("hex") === document.sha256 ? there : undefined;',
    replace: "return there;",
    test: PUT,
  },
  {
    rule: "a lost lock ends the run",
    file: "worker/queues/activity-worker.ts",
    find: "      running.abort(\n        jobId,",
    replace: "      void (() => running.abort)(\n        jobId,",
    test: RUN,
  },
  {
    rule: "renewals that were confirmed keep a run alive",
    file: "worker/queues/activity-worker.ts",
    find: "  confirmRenewals(worker, running);\n",
    replace: "",
    test: RUN,
  },
  {
    rule: "a run without a confirmed renewal ends",
    file: "worker/attempt/running.ts",
    find: 'else deadline.signal.addEventListener("abort", end, { once: true });',
    replace: "",
    test: RUN,
  },
  {
    rule: "nothing is deleted half a lock's time after the last confirmed renewal",
    file: "redis/deadline.ts",
    find: "const DELETES_WITHIN = 0.5;",
    replace: "const DELETES_WITHIN = 1;",
    test: "redis/deadline.test.ts",
  },
  {
    rule: "what a job remembers is not another job's that has its id",
    file: "redis/health/birth.ts",
    find: "`${timestamp}\\n${canonicalJson(data ?? null)}`",
    replace: '""',
    test: "worker/attempt/job-identity.test.ts",
  },
  {
    rule: "a worker marks the claim of a job that its producer could not mark",
    file: "worker/attempt/process-job.ts",
    find: 'await setField(redis, keys.idempotency(activity, jobId), "state", "added");',
    replace: "await Promise.resolve();",
    test: "worker/attempt/job-identity.test.ts",
  },
  {
    rule: "a reader of the old document never deletes the new one",
    file: "dashboard/api/document-routes.ts",
    find: "if (etagOf(pointer) !== etag.trim())",
    replace: "if (false)",
    test: "dashboard/api/document-routes.test.ts",
  },
  {
    rule: "no call takes back a claim that another one relies on",
    file: "producer/jobs/scripts/unclaim.lua",
    find: "and not claim[4] then",
    replace: "then",
    test: "producer/jobs/idempotency.test.ts",
  },
  {
    rule: "keys that a store takes for one are looked at as one",
    file: "jobs/transfer.ts",
    find: "if (!mayFoldTogether(input.object.key, target.key)) return false;",
    replace: "if (input.object.key !== target.key) return false;",
    test: MOVE,
  },
];
