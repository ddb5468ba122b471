import { type ActivityName, contracts } from "../../jobs/contracts.ts";
import type { Contract } from "../../jobs/contract.ts";
import { verbOf } from "../../batches/operations.ts";
import { BatchSpec } from "../../batches/spec/request.ts";
import type { Touched } from "./scope.ts";

/** What a job touches by its input; of an input that is none, nobody can say. */
export function touchedByJob(activity: string, input: unknown): readonly Touched[] {
  const contract: Contract | undefined = Object.hasOwn(contracts, activity)
    ? contracts[activity as ActivityName] // it has it
    : undefined;
  const parsed = contract?.input.safeParse(input);
  if (contract === undefined || !parsed?.success) return [{ activity }];
  return contract.access(parsed.data).map((access) => ({
    activity: access.activity ?? activity,
    bucket: access.bucket,
    key: access.key,
    prefix: access.prefix,
  }));
}

/** What a batch touches by its request: nobody knows the buckets and keys of a manifest before it is read. */
export function touchedByBatch(given: unknown): readonly Touched[] {
  const parsed = BatchSpec.safeParse(given);
  if (!parsed.success) return [{ activity: "batch" }];
  const { source, destination } = parsed.data as BatchSpec; // what the schema returns, whichever verb it is
  const activity = verbOf(parsed.data).access;
  const to = destination?.bucket;
  if ("items" in source) {
    const within = destination?.prefix ?? "";
    return source.items.flatMap(({ bucket, key, destinationKey }) => [
      { activity, bucket, key },
      ...(to === undefined ? [] : [{ activity, bucket: to, key: destinationKey ?? within + key }]),
    ]);
  }
  // Lines of a manifest may name keys of their own.
  if ("manifest" in source) return [{ activity }, ...(to === undefined ? [] : [{ activity, bucket: to, prefix: "" }])];
  return [
    { activity, bucket: source.bucket, prefix: source.prefix },
    ...(to === undefined ? [] : [{ activity, bucket: to, prefix: destination?.prefix ?? source.prefix }]),
  ];
}
