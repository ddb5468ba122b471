/** What a figure has to reach, as its value or as its ratio to what it is measured beside. */
export type Bound = { readonly on: "value" | "ratio" } & ({ readonly atLeast: number } | { readonly atMost: number });

/** One measured value and what it is measured beside, in the same run on the same machine. */
export type Figure = {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What it is compared with. The ratio is the median of the ratios of each round, which both sides share. */
  readonly beside?: { readonly what: string; readonly value: number; readonly ratio: number };
  readonly bound?: Bound;
};

export type Verdict = "PASS" | "BELOW" | "";

/** Empty where no bound is named. */
export function verdictOf({ value, beside, bound }: Figure): Verdict {
  if (bound === undefined) return "";
  const measured = bound.on === "ratio" ? (beside?.ratio ?? Number.NaN) : value;
  const holds = "atLeast" in bound ? measured >= bound.atLeast : measured <= bound.atMost;
  return holds ? "PASS" : "BELOW";
}
