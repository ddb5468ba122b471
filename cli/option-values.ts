import { InvalidArgumentError } from "commander";
import { MAX_PRIORITY } from "../batches/spec/fields.ts";

export type Pairs = Readonly<Record<string, string>>;

/** `name=value`, gathered over repetitions of an option. */
export function pair(text: string, before: Pairs | undefined): Pairs {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("expected name=value");
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** A text, gathered over repetitions of an option. */
export function several(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}

export function positive(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError("expected a number above 0");
}

/** As batches take it. */
export function batchPriority(text: string): number {
  const value = positiveInteger(text);
  if (value <= MAX_PRIORITY) return value;
  throw new InvalidArgumentError(`expected a whole number from 1 to ${MAX_PRIORITY}`);
}

export function objectRate(text: string): number | undefined {
  return text === "none" ? undefined : positive(text);
}

export function positiveInteger(text: string): number {
  const value = positive(text);
  if (Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError("expected a whole number above 0");
}
