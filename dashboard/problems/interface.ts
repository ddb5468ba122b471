import { explainCode } from "../../model/error-codes.ts";
import { redactText } from "../redact.ts";

export const PROBLEM_KINDS = [
  "jobs",
  "batch-objects",
  "batches",
  "worker",
  "schedule",
  "quarantine",
  "paused",
  "warning",
] as const;
export type ProblemKind = (typeof PROBLEM_KINDS)[number];

/** What may be done about a problem as a whole. */
export const GROUP_ACTIONS = ["retry", "cancel", "forget"] as const;
export type GroupAction = (typeof GROUP_ACTIONS)[number];

/** A place within the dashboard, with the words that lead there. */
export type Place = { readonly path: string; readonly text: string };

/** Something that needs somebody: failures that have the same cause, or a thing that is not as it should be. */
export type Problem = {
  /** Stays the same while the problem lasts: it can be an address. */
  readonly id: string;
  readonly kind: ProblemKind;
  readonly severity: "warning" | "danger";
  readonly title: string;
  readonly code?: string;
  readonly activity?: string;
  readonly bucket?: string;
  readonly profile?: string;
  /** How often it happened, as far as it is kept. */
  readonly count: number;
  /** How many are still as they failed, and can be acted upon. */
  readonly open?: number;
  /** ISO 8601. */
  readonly firstSeen?: string;
  readonly lastSeen?: string;
  /** Failures in each of the last 24 hours, oldest first. */
  readonly trend?: readonly number[];
  /** What one of them said. */
  readonly message?: string;
  readonly example?: Place;
  /** What belongs to it: batches, jobs that a worker held. */
  readonly related: readonly Place[];
  /** What it means, and what to do. */
  readonly meaning?: string;
  readonly remedy?: string;
  readonly actions: readonly GroupAction[];
  readonly acknowledged?: Note;
  readonly muted?: Note;
};

/** Who said of a problem that it is known. */
export type Note = { readonly by: string; readonly at: string; readonly until?: string; readonly reason?: string };

export const SHOWN = { name: 256, message: 1024 } as const;

/** What the catalogue says of a code. */
export function explained(code: string): { readonly meaning?: string; readonly remedy?: string } {
  const entry = explainCode(code);
  return entry === undefined ? {} : { meaning: entry.meaning, remedy: entry.remedy };
}

/** Text that anybody may have written, for a page: without secrets. */
export const shown = (text: string, longest: number = SHOWN.name): string => redactText(text, longest);

/** Milliseconds since 1970 as text. */
export const iso = (ms: number): string => new Date(ms).toISOString();
