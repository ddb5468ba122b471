import type { Figure } from "./results/figure.ts";

/** What a benchmark is given for one run. */
export type BenchContext = {
  /** Smaller amounts and fewer rounds: to see that it works, not to publish. */
  readonly quick: boolean;
  /** Closes whatever was started, newest first, also when the run is interrupted. */
  readonly stack: AsyncDisposableStack;
  /** Tells whoever waits how far it is. */
  readonly say: (line: string) => void;
  /** Where workers under test leave CPU profiles. */
  readonly profileFolder: string | undefined;
  /** Workers of `npm run build`, as packages have them, and not of the sources, whose types Node strips at each start. */
  readonly built?: boolean | undefined;
  /** Where programs are looked up. */
  readonly path: string;
};

export type BenchResult = {
  readonly figures: readonly Figure[];
  /** What each side does, amounts, and whatever a reader must know to believe the figures. */
  readonly notes: readonly string[];
};

/** One file of this folder. */
export type Benchmark = {
  readonly name: string;
  readonly title: string;
  /** Not part of a run that names no benchmark: it takes minutes. */
  readonly onDemand?: boolean;
  readonly run: (context: BenchContext) => Promise<BenchResult>;
};
