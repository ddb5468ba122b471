/** What a figure has to reach: of the ratio where there is something beside it, else of the value itself. */
export type Bound = { readonly atLeast: number } | { readonly atMost: number };

/** One measured value and what it is measured beside, in the same run on the same machine. */
export type Figure = {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What it is compared with. The ratio is the median of the ratios of each round, which both sides share. */
  readonly beside?: { readonly what: string; readonly value: number; readonly ratio: number };
  /** On the ratio, where there is one. */
  readonly bound?: Bound;
};

export type Verdict = "PASS" | "BELOW" | "";

/** Empty where no bound is named. */
export function verdictOf({ value, beside, bound }: Figure): Verdict {
  if (bound === undefined) return "";
  const measured = beside?.ratio ?? value;
  const holds = "atLeast" in bound ? measured >= bound.atLeast : measured <= bound.atMost;
  return holds ? "PASS" : "BELOW";
}
