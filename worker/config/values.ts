import { z } from "zod";
import { didYouMean } from "../../model/closest-name.ts";

/** Milliseconds. */
const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** Bytes; the decimal units are the SI's. */
const UNITS_BYTES: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};
/** What a timer of Node can wait for; beyond it fires at once. https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A variable's text, read by `read`, which answers `undefined` for what it does not take. */
function read<Value>(expected: string, parse: (text: string) => Value | undefined) {
  return z.string().transform((text, context): Value => {
    const value = parse(text.trim());
    if (value !== undefined) return value;
    context.addIssue({ code: "custom", message: `expected ${expected}, got ${JSON.stringify(text)}` });
    return z.NEVER;
  });
}

/** `30m`, `25s`, `500ms`, `1h`, `7d` as milliseconds. A bare number is refused: its unit would be a guess. */
export function duration({ min = "1ms", max = `${MAX_TIMER_MS}ms` }: { readonly min?: string; readonly max?: string }) {
  const least = milliseconds(min) ?? 0;
  const most = milliseconds(max) ?? MAX_TIMER_MS;
  const limit = max === `${MAX_TIMER_MS}ms` ? "24d" : max;
  return read(`a duration from ${min} to ${limit} such as 30m, 25s or 500ms`, (text) => {
    const value = milliseconds(text);
    return value !== undefined && value >= least && value <= most ? value : undefined;
  });
}

function milliseconds(text: string): number | undefined {
  return withUnit(text, UNITS_MS);
}

/** `256MiB`, `5GiB`, `8388608B` as bytes. */
export function size({ min, max }: { readonly min: string; readonly max: string }) {
  const least = withUnit(min, UNITS_BYTES) ?? 0;
  const most = withUnit(max, UNITS_BYTES) ?? 0;
  return read(`a size from ${min} to ${max} such as 8MiB`, (text) => {
    const value = withUnit(text, UNITS_BYTES);
    return value !== undefined && value >= least && value <= most ? value : undefined;
  });
}

function withUnit(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const [, digits = "", unit = ""] = /^(\d{1,12}(?:\.\d{1,3})?)\s?([A-Za-z]+)$/.exec(text) ?? [];
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined;
  return factor === undefined ? undefined : Math.round(Number(digits) * factor);
}

/** A whole number within limits. */
export function integer({ min, max }: { readonly min: number; readonly max: number }) {
  return read(`a whole number from ${min} to ${max}`, (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? value : undefined;
  });
}

const TRUTH: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  "1": true,
  false: false,
  no: false,
  off: false,
  "0": false,
};
export const flag = read("true or false", (text) => {
  const key = text.toLowerCase();
  return Object.hasOwn(TRUTH, key) ? TRUTH[key] : undefined;
});

/** One of these words. */
export function oneOf<const Word extends string>(words: readonly Word[]) {
  return z.string().transform((text, context): Word => {
    const word = words.find((candidate) => candidate === text.trim());
    if (word !== undefined) return word;
    context.addIssue({
      code: "custom",
      message: `expected one of ${words.join(", ")}, got ${JSON.stringify(text)}${didYouMean(text, words)}`,
    });
    return z.NEVER;
  });
}

/** `a,b,c` out of these words, or `all`; in the order of the words, without repetitions. */
export function listOf<const Word extends string>(words: readonly Word[]) {
  return z.string().transform((text, context): readonly Word[] => {
    const named = items(text);
    if (named.length === 1 && named[0] === "all") return words;
    for (const name of named.filter((item) => !words.some((word) => word === item)))
      context.addIssue({
        code: "custom",
        message: `expected a list out of ${words.join(", ")}, or all; got ${JSON.stringify(name)}${didYouMean(name, words)}`,
      });
    if (named.length === 0) context.addIssue({ code: "custom", message: "expected at least one name, or all" });
    return words.filter((word) => named.includes(word));
  });
}

/** `32`, `list-objects=4,get-object=8` or both together: what a bare number sets for all, and what each name sets for itself. */
export function numbersFor<const Word extends string>(
  words: readonly Word[],
  { min, max }: { readonly min: number; readonly max: number },
) {
  return z.string().transform((text, context) => {
    const found: { all?: number; readonly each: Partial<Record<Word, number>> } = { each: {} };
    for (const item of items(text)) {
      const [, name, digits = ""] = /^(?:([^=]+?)\s*=\s*)?(\d{1,9})$/.exec(item) ?? [];
      const word = words.find((candidate) => candidate === name);
      const value = Number(digits);
      if (digits === "" || value < min || value > max) {
        const expected = `expected numbers from ${min} to ${max} such as 32 or list-objects=4,get-object=8`;
        context.addIssue({ code: "custom", message: `${expected}, got ${JSON.stringify(item)}` });
      } else if (name === undefined) found.all = value;
      else if (word === undefined) {
        const expected = `expected one of ${words.join(", ")} before "="`;
        context.addIssue({
          code: "custom",
          message: `${expected}, got ${JSON.stringify(name)}${didYouMean(name, words)}`,
        });
      } else found.each[word] = value;
    }
    return found;
  });
}

function items(text: string): readonly string[] {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}
