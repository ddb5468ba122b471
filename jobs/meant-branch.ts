import { z } from "zod";

type Issue = z.core.$ZodIssue;

/**
 * The issues of a value that was parsed, where a union says what is wrong in the form that was meant: the one that the value's fields fit best, if
 * one alone does. Else it says no more than that none fits.
 */
export function issuesOf({ issues }: { readonly issues: readonly Issue[] }, value: unknown): readonly Issue[] {
  return issues.flatMap((issue) => {
    if (issue.code !== "invalid_union") return [issue];
    const meant = meantBranch(issue.errors, valueAt(value, issue.path));
    if (meant === undefined) return [issue];
    const fromRoot = meant.map((each) => ({ ...each, path: [...issue.path, ...each.path] }));
    return issuesOf({ issues: fromRoot }, value);
  });
}

export function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, part) => (typeof at === "object" && at !== null ? (at as Record<PropertyKey, unknown>)[part] : undefined),
    value,
  );
}

/** In one form of a union the field of another, which may not be said: so the two can be told apart. */
export const unsaid = () => z.never().optional();

/** A form that differs by more fields is hardly the one that was meant. */
const NEAR = 1;
/** A name that is nearly that of a missing field counts for both. */
const SLIP = 1.5;

function meantBranch(branches: readonly (readonly Issue[])[], value: unknown): readonly Issue[] | undefined {
  // A text is none of the forms that objects have.
  const sameKind = branches.filter(
    (issues) => !issues.some(({ code, path }) => code === "invalid_type" && path.length === 0),
  );
  const [best, next] = sameKind
    .map((issues) => ({ issues, off: differingFields(issues, value) }))
    .toSorted((a, b) => a.off - b.off);
  return best === undefined || best.off > NEAR || best.off === next?.off ? undefined : best.issues;
}

/** By how many of its own fields a value differs from a form. */
function differingFields(issues: readonly Issue[], value: unknown): number {
  return issues.reduce((count, issue) => {
    if (issue.code === "unrecognized_keys" && issue.path.length === 0) {
      const slips = issue.message.match(/did you mean/g)?.length ?? 0;
      return count + issue.keys.length - SLIP * slips;
    }
    const forbidden = issue.code === "invalid_type" && issue.expected === "never";
    const absent = valueAt(value, issue.path) === undefined;
    return issue.path.length === 1 && (forbidden || absent) ? count + 1 : count;
  }, 0);
}
