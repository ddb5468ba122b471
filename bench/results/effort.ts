import type { Figure } from "./figure.ts";
import { cpuMs } from "../lab/process-usage.ts";
import { median, pairedRatio } from "./statistics.ts";

export type Effort = {
  readonly perSecond: number;
  /** Microseconds of processor time for each object or job. */
  readonly cpuUs: number;
};

/** What `run` costs the process that does the work, for each of `count`. */
export async function effortOf(pid: number, count: number, run: () => Promise<unknown>): Promise<Effort> {
  const before = cpuMs(pid);
  const started = performance.now();
  await run();
  const seconds = (performance.now() - started) / 1000;
  return { perSecond: count / seconds, cpuUs: ((cpuMs(pid) - before) * 1000) / count };
}

/** One side beside another over the same rounds. */
export function compareEfforts(
  mine: readonly Effort[],
  theirs: readonly Effort[],
  { of, what }: { readonly of: keyof Effort; readonly what: string },
): Required<Pick<Figure, "value" | "beside">> {
  const measured = mine.map((effort) => effort[of]);
  const other = theirs.map((effort) => effort[of]);
  return { value: median(measured), beside: { what, value: median(other), ratio: pairedRatio(measured, other) } };
}
