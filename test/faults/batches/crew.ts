import type { WorkerProcess } from "../../../cli/processes/worker.ts";
import type { Stack } from "../../stack.ts";
import type { Random } from "../random.ts";

/** The worker processes of a run. */
export type Crew = {
  /** Starts one; it is there before the promise resolves, in the sense of `kill`. */
  hire(): Promise<void>;
  /** SIGKILL for one of them, and a successor at once. */
  replace(random: Random): Promise<void>;
  /** SIGKILL for all of them. Answers how many there were. */
  killAll(): Promise<number>;
  readonly size: number;
  /** What workers said that ended by themselves. */
  readonly crashes: readonly string[];
};

export function createCrew(stack: Stack): Crew {
  const alive = new Set<WorkerProcess>();
  const crashes: string[] = [];
  const hire = async () => {
    const worker = await stack.startWorker();
    alive.add(worker);
    const bury = (lines: readonly string[]) => {
      alive.delete(worker);
      crashes.push(lines.join("\n"));
    };
    void worker.crashed.then(bury);
  };
  return {
    hire,
    async replace(random) {
      const victim = alive.size === 0 ? undefined : random.pick([...alive]);
      if (victim === undefined) return;
      alive.delete(victim);
      await victim.kill();
      await hire();
    },
    async killAll() {
      const victims = [...alive];
      alive.clear();
      await Promise.all(victims.map((victim) => victim.kill()));
      return victims.length;
    },
    get size() {
      return alive.size;
    },
    crashes,
  };
}
