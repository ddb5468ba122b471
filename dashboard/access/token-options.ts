import { activityNames } from "../../jobs/contracts.ts";
import { createGlob } from "../../model/glob/create.ts";
import type { Scope } from "./rights.ts";

const DAY_MS = 86_400_000;
const BUCKETS = /^[A-Za-z0-9._*?{},[\]-]{1,128}$/;
const NAMES: ReadonlySet<string> = new Set(activityNames);
const SCOPES = ["activities", "buckets", "prefixes"] as const;

/** What stands behind a token's hash. Values are separated by `|`; what the text needs for itself is percent-encoded. */
export function readTokenOptions(
  parts: readonly string[],
): { readonly expires?: number; readonly scope?: Scope } | string {
  const given = new Map<string, string>();
  for (const part of parts) {
    const [name = "", ...value] = part.split("=");
    if (given.has(name)) return `expected ${name}= once`;
    given.set(name, value.join("="));
  }
  const unknown = [...given.keys()].find((name) => name !== "expires" && !SCOPES.some((scope) => scope === name));
  if (unknown !== undefined) return "expected expires=, activities=, buckets= or prefixes= behind the hash";
  const last = given.get("expires");
  const expires = last === undefined ? undefined : endOf(last);
  if (last !== undefined && expires === undefined) return "expires=: expected a day of the calendar, YYYY-MM-DD";
  const scope: { -readonly [Name in keyof Scope]: readonly string[] } = {};
  for (const name of SCOPES) {
    const text = given.get(name);
    if (text === undefined) continue;
    const values = valuesOf(text);
    if (values === undefined || !values.every(FITS[name])) return EXPECTED[name];
    scope[name] = values;
  }
  return {
    ...(expires !== undefined && { expires }),
    ...(Object.keys(scope).length > 0 && { scope }),
  };
}

const FITS = {
  activities: (value: string) => NAMES.has(value),
  buckets: isBucketGlob,
  prefixes: (value: string) => value !== "" && value.length <= 1024,
} as const;

const EXPECTED = {
  activities: "activities=: expected names of activities, separated by |",
  buckets: "buckets=: expected names of buckets, with * ? [a-c] {a,b} where several are meant, separated by |",
  prefixes: "prefixes=: expected what keys begin with, separated by |; percent-encode : , | and %",
} as const;

function isBucketGlob(value: string): boolean {
  if (!BUCKETS.test(value)) return false;
  try {
    createGlob(value);
    return true;
  } catch {
    return false; // it says so in words that the caller has
  }
}

/** The first moment after a day; undefined where there is no such day. */
function endOf(day: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) return undefined;
  const start = Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(start) || new Date(start).toISOString().slice(0, 10) !== day ? undefined : start + DAY_MS;
}

/** Never none: a scope of nothing would be a token for nothing. */
function valuesOf(text: string): readonly string[] | undefined {
  try {
    const values = text.split("|").map((value) => decodeURIComponent(value));
    return values.every((value) => value !== "") ? values : undefined;
  } catch {
    return undefined; // a lone percent sign
  }
}
