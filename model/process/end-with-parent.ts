import { readFileSync } from "node:fs";

const LOOK_EVERY_MS = 500;

/** What npm starts scripts and commands with. */
const SHELLS = new Set(["sh", "bash", "dash", "ash", "busybox", "zsh"]);

let watching = false;

type Options = {
  /** What npm tells its children of itself; without it nobody ends this process by ending another. */
  readonly npmCommand: string | undefined;
  /** The parent and, where that is a shell, the parent of it, as far as the system tells. */
  readonly parents?: () => readonly number[];
  readonly stop?: () => void;
  readonly everyMs?: number;
};

/**
 * Under `npx` and `npm run`: npm ends when it is told to, and does not pass that on, so that a worker would stay behind, with nobody to stop it. Once
 * its parent is gone, or npm behind the shell that it started us with, the process is told to stop as well (SIGTERM). A process that was put into the
 * background by its parent is left alone.
 */
export function endWithParent({
  npmCommand,
  parents = parentsOfThis,
  stop = () => process.kill(process.pid, "SIGTERM"),
  everyMs = LOOK_EVERY_MS,
}: Options): void {
  if (npmCommand === undefined || watching) return;
  const first = parents();
  if ((first[0] ?? 0) <= 1) return;
  watching = true;
  const timer = setInterval(() => {
    if (parents().join() === first.join()) return;
    clearInterval(timer);
    watching = false;
    stop();
  }, everyMs);
  timer.unref();
}

function parentsOfThis(): readonly number[] {
  const { ppid } = process;
  try {
    // https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    const [, name = "", parent] = /^\d+ \((.*)\) \S (\d+)/s.exec(readFileSync(`/proc/${ppid}/stat`, "utf8")) ?? [];
    return SHELLS.has(name) ? [ppid, Number(parent)] : [ppid];
  } catch {
    // Not Linux, or the parent has just gone, which its number tells.
    return [ppid];
  }
}
