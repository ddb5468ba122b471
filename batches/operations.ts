import { ActivityError } from "../model/activity-error.ts";
import { copy } from "./operations/copy/spec.ts";
import { move } from "./operations/move/spec.ts";
import { remove } from "./operations/delete/spec.ts";
import type { Verb } from "./operations/verb.ts";

/** What a batch can do, each verb by its name. To add one is a folder in operations/ and its line here. */
export const operations = {
  copy,
  move,
  delete: remove,
};

export const VERB_NAMES = Object.keys(operations) as (keyof typeof operations)[]; // its keys are exactly the names

/** What is known of a batch's verb. A batch of a newer version may have one that this version does not know. */
export function findVerb(name: string): Verb | undefined {
  return Object.hasOwn(operations, name) ? operations[name as keyof typeof operations] : undefined;
}

/** @throws ActivityError `UnknownOperation`: workers of a newer version can go on */
export function verbOf({ operation }: { readonly operation: string }): Verb {
  const verb = findVerb(operation);
  if (verb !== undefined) return verb;
  throw new ActivityError(
    "UnknownOperation",
    `expected one of the operations ${VERB_NAMES.join(", ")}, got ${operation}`,
    { retryable: true },
  );
}
