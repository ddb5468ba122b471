import { randomUUID } from "node:crypto";
import type { z } from "zod";
import { ActivityError } from "../../model/activity-error.ts";
import type { ActivityName, Contract } from "../../jobs/contracts.ts";
import type { RedisKeys } from "../../redis/keys.ts";
import { type Claim, claimAll, conflictError, makeClaim, markAdded, unclaimAll } from "./idempotency.ts";
import { bullOptions, type BulkOptions } from "./options.ts";
import { parseInput } from "../../jobs/parse-input.ts";
import type { QueuePool } from "../queue-pool.ts";
import type { RedisConnection } from "../../redis/connection/open.ts";

/** How many jobs go to Redis in one transaction; more would keep it from everybody else for too long. */
const SLICE = 1000;

/** How many wrong inputs a message describes. */
const SHOWN_INPUTS = 5;

export type Enqueuing = { readonly redis: RedisConnection; readonly queues: QueuePool; readonly keys: RedisKeys };

type Item = { readonly data: unknown; readonly jobId: string; readonly claim: Claim | undefined };

/** A checked input with the id that its job will have. */
export function makeItem(contract: Contract, input: unknown, idempotencyKey: string | undefined): Item {
  const data = parseInput(contract, input);
  if (idempotencyKey === undefined) return { data, jobId: randomUUID(), claim: undefined };
  const claim = makeClaim(contract.name, idempotencyKey, data);
  return { data, jobId: claim.jobId, claim };
}

/**
 * Adds jobs that are not there yet, slice by slice. Each step can be repeated: every job has its id before it is sent. All idempotency keys are
 * claimed before the first job is added, so that a conflict adds nothing. With `patience` Redis is waited for that long at least, in milliseconds.
 */
export async function addItems(
  { redis, queues, keys }: Enqueuing,
  activity: ActivityName,
  items: readonly Item[],
  { patience, ...options }: z.output<typeof BulkOptions> & { readonly patience?: number | undefined },
): Promise<void> {
  const opts = bullOptions(options);
  const by = randomUUID();
  const missing = items.some(({ claim }) => claim !== undefined)
    ? await redis.run(`enqueue ${activity}`, (client) => claimMissing({ client, keys, by }, items), patience)
    : items;
  for (let start = 0; start < missing.length; start += SLICE) {
    const slice = missing.slice(start, start + SLICE);
    const what =
      items.length === 1
        ? `enqueue ${activity}`
        : `enqueue ${activity} (${items.length - missing.length + start} of ${items.length} are added)`;
    // Slices go one after the other, so that a lost Redis leaves a known beginning added.
    const add = async (client: RedisConnection["client"]) => {
      const queue = await queues.get(activity);
      const [only] = slice;
      if (slice.length === 1 && only) await queue.add(activity, only.data, { ...opts, jobId: only.jobId });
      else await queue.addBulk(slice.map(({ data, jobId }) => ({ name: activity, data, opts: { ...opts, jobId } })));
      const claims = slice.flatMap(({ claim }) => claim ?? []);
      if (claims.length > 0) await markAdded(client, keys, claims);
    };
    await redis.run(what, add, patience);
  }
}

type Claiming = { readonly client: RedisConnection["client"]; readonly keys: RedisKeys; readonly by: string };

async function claimMissing({ client, keys, by }: Claiming, items: readonly Item[]): Promise<readonly Item[]> {
  const missing: Item[] = [];
  for (let start = 0; start < items.length; start += SLICE) {
    const slice = items.slice(start, start + SLICE);
    const claims = slice.flatMap(({ claim }) => claim ?? []);
    const states = await claimAll(client, keys, { claims, by });
    const stateOf = new Map(claims.map((claim, index) => [claim, states[index]]));
    for (const [index, { claim }] of slice.entries()) {
      if (claim === undefined || stateOf.get(claim) !== "conflict") continue;
      // Nothing is sent, so none of the keys may stand for anything.
      await unclaimAll(client, keys, { claims: items.slice(0, start + SLICE).flatMap((item) => item.claim ?? []), by });
      throw conflictError(claim, items.length > 1 ? `inputs[${start + index}]: ` : "");
    }
    missing.push(...slice.filter(({ claim }) => claim === undefined || stateOf.get(claim) !== "added"));
  }
  return missing;
}

/** Checks every input before anything is sent. Throws one `InvalidInput` that names every bad index. */
export function makeItems(
  contract: Contract,
  inputs: readonly unknown[],
  keyOf: (input: unknown, index: number) => string | undefined,
): Item[] {
  const items: Item[] = [];
  const bad: { readonly index: number; readonly error: ActivityError }[] = [];
  for (const [index, input] of inputs.entries()) {
    try {
      items.push(makeItem(contract, input, keyOf(input, index)));
    } catch (error) {
      if (!(error instanceof ActivityError)) throw error;
      bad.push({ index, error });
    }
  }
  refuseBad(contract, inputs.length, bad);
  refuseConflicts(items);
  return items;
}

function refuseBad(
  contract: Contract,
  total: number,
  bad: readonly { readonly index: number; readonly error: ActivityError }[],
): void {
  const [first] = bad;
  if (first === undefined) return;
  const details = bad
    .slice(0, SHOWN_INPUTS)
    .map(({ index, error }) => `inputs[${index}]: ${error.message.replace(/^InvalidInput: /, "")}`);
  throw new ActivityError(
    "InvalidInput",
    `${contract.name}: ${bad.length} of ${total} inputs are wrong, at ${bad.map(({ index }) => index).join(", ")}; ${details.join("; ")}`,
    { field: `inputs[${first.index}]${first.error.field === undefined ? "" : `.${first.error.field}`}` },
  );
}

/** Two inputs of one call under one key conflict before Redis is asked. */
function refuseConflicts(items: readonly Item[]): void {
  const hashes = new Map<string, string>();
  for (const [index, { claim }] of items.entries()) {
    if (claim === undefined) continue;
    const seen = hashes.get(claim.jobId);
    if (seen !== undefined && seen !== claim.inputHash) throw conflictError(claim, `inputs[${index}]: `);
    hashes.set(claim.jobId, claim.inputHash);
  }
}
