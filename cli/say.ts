let quiet = false;

/** `--quiet`: only results that were asked for, and errors, are printed. */
export function setQuiet(asked: boolean): void {
  quiet = asked;
}

/** Whether `--quiet` was given. */
export const isQuiet = (): boolean => quiet;

/** Prints what was done, for people; not with `--quiet`. Results (listings, JSON, URLs) are printed by `console.log` and never left out. */
export function say(text: string): void {
  if (!quiet) console.log(text);
}
