let quiet = false;

/** `--quiet`: from now on only results that were asked for, and errors, are printed. */
export function beQuiet(): void {
  quiet = true;
}

/** Whether `--quiet` was given. */
export const isQuiet = (): boolean => quiet;

/** Prints what was done, for people; not with `--quiet`. Results (listings, JSON, URLs) are printed by `console.log` and never left out. */
export function say(text: string): void {
  if (!quiet) console.log(text);
}
