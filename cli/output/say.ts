import { jsonLine } from "./printable.ts";

const mode = { quiet: false, json: false };

/** `--quiet` leaves what was done unsaid, `--json` says all else as JSON. Told once, by the options of the command. */
export function speak({ quiet, json }: { readonly quiet: boolean; readonly json: boolean }): void {
  Object.assign(mode, { quiet, json });
}

/** Whether a person looks on, and has not asked for quiet or for JSON. */
export const isWatched = (): boolean => process.stderr.isTTY && !mode.quiet && !mode.json;

/** Prints what was done, for people; not with `--quiet`. Results (listings, JSON, URLs) are printed by `console.log` and never left out. */
export function say(text: string): void {
  if (!mode.quiet) console.log(text);
}

/** As {@link say}, on standard error, for what must not mix with results; not with `--json` either. */
export function note(text: string): void {
  if (!mode.quiet && !mode.json) console.error(text);
}

/** Says on standard error what may be of use: that nobody takes the work, how to go on. */
export function hint(text: string): void {
  console.error(mode.json ? jsonLine({ hint: text }) : text);
}
