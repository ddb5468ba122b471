import type { DocumentStore } from "../../documents/interface.ts";
import { ActivityError } from "../../model/activity-error.ts";
import type { Access } from "../../model/access.ts";
import type { ActivityName } from "../../jobs/contracts.ts";
import type { CredentialsRef } from "../../model/entities.ts";
import type { Handler, JobContext } from "../../jobs/handler.ts";
import { handlers } from "../../jobs/handlers.ts";
import { parseInput } from "../../jobs/parse-input.ts";
import { checkPolicy } from "../../credentials/policy.ts";
import type { Profiles } from "../../credentials/resolved-profile.ts";
import type { S3Pool } from "../../s3/pool.ts";
import { type AskedTerms, resolveTerms } from "../../s3/terms.ts";
import { storeList } from "./store-list.ts";

/** What an attempt needs of its worker. */
export type RunDeps = {
  readonly profiles: Profiles;
  readonly pool: S3Pool;
  readonly documents: DocumentStore;
  /** Seconds for which a spilled list can be read: as long as its job. */
  readonly listTtl: number;
};

/** One attempt of one job. */
export type Attempt = Omit<JobContext, "s3" | "destination" | "documents"> & {
  readonly activity: ActivityName;
  readonly jobId: string;
  readonly data: unknown;
};

/** The pipeline of one attempt: parse, resolve, check, run, parse, store. Throws what failed, as it failed. */
export async function runJob(attempt: Attempt, deps: RunDeps): Promise<unknown> {
  const { activity, signal } = attempt;
  const handler = handlers[activity];
  const input = parseInput(handler.contract, attempt.data);
  const accesses = handler.contract.access(input);
  await checkAccess(accesses, activity, deps.profiles);
  signal.throwIfAborted();
  const { credentials, destination } = credentialsOf(input);
  // Every input may say them, and those with a destination more there; the contracts say so.
  const purpose = { activity, accesses, terms: await resolveTerms(input as AskedTerms, deps.profiles) };
  const s3 = await deps.pool.get(credentials, purpose);
  const to = destination === undefined ? s3 : await deps.pool.get(destination, purpose);
  const context = {
    s3,
    // Two names of one profile are one store: it copies by itself.
    destination: to.connection === s3.connection ? s3 : to,
    documents: deps.documents,
    evidence: attempt.evidence,
    identity: attempt.identity,
    progress: attempt.progress,
    signal,
    deadline: attempt.deadline,
    exclusively: attempt.exclusively,
    log: attempt.log,
    attempt: attempt.attempt,
  };
  return finish(handler, handler.run(input, context), attempt, deps);
}

/** Removes the multipart upload that an earlier attempt left, where none will go on with it: that of the input's own destination. */
export async function abandonUpload(
  { activity, data, evidence }: Pick<Attempt, "activity" | "data" | "evidence">,
  { pool }: Pick<RunDeps, "pool">,
): Promise<void> {
  const left = await evidence.upload.load();
  if (left === undefined) return;
  const target = writtenBy(activity, data);
  if (target !== undefined)
    await (await pool.get(target.credentials, { activity, accesses: [target] })).abandonUpload(left);
  await evidence.upload.clear();
}

/** What a job writes. Of a copy both ends are named, the destination last. None where its input is unsound: such a job began no upload. */
function writtenBy(activity: ActivityName, data: unknown): Access | undefined {
  const { contract } = handlers[activity];
  try {
    return contract.access(parseInput(contract, data)).at(-1);
  } catch {
    return undefined;
  }
}

/** Checks what came out as strictly as what went in: a result that breaks its contract is a bug to be seen. */
async function finish(handler: Handler, running: ReturnType<Handler["run"]>, attempt: Attempt, deps: RunDeps) {
  const { contract } = handler;
  if (Symbol.asyncIterator in running) {
    const list = contract.list;
    if (list === undefined) throw new ActivityError("InternalError", `${contract.name} yields but declares no list`);
    return storeList(running, {
      ...list,
      documents: deps.documents,
      documentName: `${contract.name}-${attempt.jobId}.ndjson`,
      ttl: deps.listTtl,
      signal: attempt.signal,
    });
  }
  const result = contract.result.safeParse(await running);
  if (result.success) return result.data;
  throw new ActivityError(
    "InternalError",
    `${contract.name} returned what its contract forbids: ${result.error.message}`,
  );
}

async function checkAccess(accesses: readonly Access[], activity: ActivityName, profiles: Profiles): Promise<void> {
  for (const access of accesses) checkPolicy(await profiles.resolve(access.credentials), activity, access);
}

/** Every input may carry `credentials`, and those with a destination a second one there; the contracts say so. */
function credentialsOf(input: unknown) {
  const { credentials, destination } = input as {
    credentials?: CredentialsRef;
    destination?: { credentials?: CredentialsRef };
  };
  return { credentials, destination: destination?.credentials };
}
