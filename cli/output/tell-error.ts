import { getSystemErrorMap } from "node:util";
import { ActivityError } from "../../model/activity-error.ts";
import { jsonLine, printable, printableLines } from "./printable.ts";

type Told = { readonly code: string; readonly message: string; readonly retryable: boolean };

/** One error as every command tells it: a line, or JSON with the fields that errors have everywhere. `about` names the thing that it befell. */
export function tellError(error: unknown, { json, about }: { readonly json: boolean; readonly about?: string }): void {
  if (json) return console.error(jsonLine({ error: asJson(error), ...(about !== undefined && { about }) }));
  console.error(about === undefined ? printableLines(inWords(error)) : printable(`${about}: ${inWords(error)}`));
}

/** An error that another one followed while things were put away is told first. */
function inWords(error: unknown): string {
  if (error instanceof SuppressedError) return `${inWords(error.suppressed)}\n${inWords(error.error)}`;
  return messageOf(error);
}

function asJson(error: unknown): Told {
  if (error instanceof SuppressedError) return asJson(error.suppressed);
  if (error instanceof ActivityError) return error.toJSON();
  const code = isSystemError(error) ? error.code : "Problem";
  return { code, message: messageOf(error), retryable: false };
}

/** Of a file: `a.txt: no such file or directory`, as other tools say it. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (!isSystemError(error) || error.path === undefined || error.errno === undefined) return error.message;
  const [, meaning = error.code] = getSystemErrorMap().get(error.errno) ?? [];
  return `${error.path}: ${meaning}`;
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException & { readonly code: string } {
  return error instanceof Error && "syscall" in error && "code" in error && typeof error.code === "string";
}
