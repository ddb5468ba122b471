const LOOK_EVERY_MS = 500;

let watching = false;

type Options = {
  /** What npm tells its children of itself; without it nobody ends this process by ending another. */
  readonly npmCommand: string | undefined;
  readonly parent?: () => number;
  readonly stop?: () => void;
  readonly everyMs?: number;
};

/**
 * Under `npx` and `npm run`: npm ends when it is told to, and does not pass that on, so that a worker would stay behind, with nobody to stop it. Once
 * its parent is gone, the process is told to stop as well (SIGTERM). A process that was put into the background by its parent is left alone.
 */
export function endWithParent({
  npmCommand,
  parent = () => process.ppid,
  stop = () => process.kill(process.pid, "SIGTERM"),
  everyMs = LOOK_EVERY_MS,
}: Options): void {
  const first = parent();
  if (npmCommand === undefined || watching || first <= 1) return;
  watching = true;
  const timer = setInterval(() => {
    if (parent() === first) return;
    clearInterval(timer);
    watching = false;
    stop();
  }, everyMs);
  timer.unref();
}
