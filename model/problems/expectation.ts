import type { z } from "zod";

/**
 * What was expected where a value was refused, for whoever names the field in front and what was got behind: a sentence of ours as it is, zod's own
 * without its beginning (`Invalid input: `) and without what was received.
 *
 * @example
 * // z.string().safeParse(7)
 * expectation(issue); // expected string
 */
export function expectation(issue: z.core.$ZodIssue): string {
  // A name that is refused says why itself.
  if (issue.code === "invalid_key") return issue.issues.map(expectation)[0] ?? "expected another name";
  return issue.message
    .replace(/^(?:Invalid (?:input|option)|Too small|Too big): /, "")
    .replace(/^Invalid ISO datetime$/, "expected a date and time such as 2026-11-22T10:00:00Z")
    .replace(/^Invalid string: must /, "expected text that must ")
    .replace(/^Invalid /, "expected a valid ")
    .replace(/, received .*$/s, "");
}

/** A value in an error that may not repeat it, because it may be a secret: its kind and size alone. */
export function shapeOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "string") return `a string of ${value.length} characters`;
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
