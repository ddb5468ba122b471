/** One thing that was looked at. `advice` is no reason to fail; a `problem` is. */
export type Finding = {
  readonly level: "fine" | "advice" | "problem";
  readonly about: string;
  readonly found: string;
  /** What to set. */
  readonly advice?: string;
};

export const fine = (about: string, found: string): Finding => ({ level: "fine", about, found });
export const advise = (about: string, found: string, advice: string): Finding => ({
  level: "advice",
  about,
  found,
  advice,
});
export const problem = (about: string, found: string, advice: string): Finding => ({
  level: "problem",
  about,
  found,
  advice,
});

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
