import type { Logger } from "pino";
import { withoutCommand } from "./without-command.ts";

/** The same trouble is told once in so long, however often it happens. Milliseconds. */
const EVERY_MS = 30_000;
/** Kinds of trouble that are told apart; more would be texts that differ each time. */
const MAX_KINDS = 100;

/** Tells of what goes wrong between this process and Redis. An outage makes hundreds of errors a second, of which one line tells all. */
export type TroubleLog = (error: unknown, message: string, fields?: Readonly<Record<string, unknown>>) => void;

export function createTroubleLog(log: Pick<Logger, "warn">): TroubleLog {
  const kinds = new Map<string, { at: number; untold: number }>();
  return (error, message, fields = {}) => {
    const kind = `${message} ${kindOf(error)}`;
    const known = kinds.get(kind);
    const now = performance.now();
    if (known !== undefined && now - known.at < EVERY_MS) {
      known.untold++;
      return;
    }
    if (known === undefined && kinds.size >= MAX_KINDS) kinds.clear();
    kinds.set(kind, { at: now, untold: 0 });
    const more = known !== undefined && known.untold > 0 ? { alike: known.untold } : {};
    log.warn({ ...fields, ...more, err: withoutCommand(error) }, message);
  };
}

/** The word by which Redis, Node or ioredis names a kind of error; of others the text without its numbers. */
function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const code = "code" in error ? String(error.code) : "";
  return code || (/^[A-Z]{3,}\b/.exec(error.message)?.[0] ?? error.message.replaceAll(/\d+/g, "#").slice(0, 200));
}
