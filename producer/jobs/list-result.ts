import { ActivityError } from "../../model/activity-error.ts";
import { readNdjson } from "../../documents/ndjson.ts";
import type { Contract, ListResult } from "../../jobs/contracts.ts";
import { DocumentPointer } from "../../model/entities.ts";
import type { Documents } from "../documents.ts";

/** A longer list would be held in memory whole; it can be iterated instead. */
export const MAX_LIST = 100_000;

export type ListActivity = Contract & { readonly list: NonNullable<Contract["list"]> };

type Reading = { readonly documents: Pick<Documents, "read">; readonly signal?: AbortSignal | undefined };

/** The entities of a stored list, one after the other, whether it is on the job or in a document. Throws what the documents throw. */
export async function* listEntities(contract: ListActivity, stored: ListResult, reading: Reading): AsyncGenerator {
  const { name, entity } = contract.list;
  const inline = stored[name];
  if (Array.isArray(inline)) {
    yield* inline.map((value) => entity.parse(value));
    return;
  }
  const pointer = DocumentPointer.safeParse(stored.document);
  if (!pointer.success) throw brokenError(contract, "neither a list nor a document");
  // The list belongs to the job: it can be asked for again until it expires.
  const values = readNdjson(reading.documents, pointer.data, { keep: true, signal: reading.signal });
  let count = 0;
  for await (const value of values) {
    count += 1;
    yield entity.parse(value);
  }
  if (count !== stored.count) throw brokenError(contract, `${count} entities where ${stored.count} were promised`);
}

/** A stored list as a whole. Throws `ListTooLong` above {@link MAX_LIST} entities. */
export async function wholeList(contract: ListActivity, stored: ListResult, reading: Reading): Promise<unknown> {
  if (stored.count > MAX_LIST)
    throw new ActivityError(
      "ListTooLong",
      `${contract.name} found ${stored.count} ${contract.list.name}, more than result() returns at once (${MAX_LIST}); iterate entities() instead`,
    );
  const entities: unknown[] = [];
  for await (const entity of listEntities(contract, stored, reading)) entities.push(entity);
  return { count: stored.count, [contract.list.name]: entities };
}

/** What a worker stored as the result of an activity. Fields that a newer worker added are left in. */
export function parseStored(contract: Contract, value: unknown): unknown {
  const parsed = contract.result.safeParse(value);
  if (parsed.success) return parsed.data;
  if (parsed.error.issues.every(({ code }) => code === "unrecognized_keys")) return value;
  throw brokenError(
    contract,
    parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "),
  );
}

function brokenError(contract: Contract, found: string): ActivityError {
  return new ActivityError("InvalidResult", `${contract.name}: expected its result, found ${found}`);
}
