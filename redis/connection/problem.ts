import { ReplyError } from "ioredis";
import { ActivityError } from "../../model/activity-error.ts";
import { foreignMeans, isForeign } from "../foreign.ts";
import { withoutCommand } from "./without-command.ts";

/** Replies of a Redis that is starting, failing over, full or busy: the same command may pass a moment later. */
const TRANSIENT_REPLY =
  /^(LOADING|MASTERDOWN|CLUSTERDOWN|READONLY|TRYAGAIN|BUSY|NOREPLICAS|MISCONF|OOM|UNBLOCKED|ERR WAIT cannot be used with replica|ERR max number of clients)\b/;

/** How ioredis and the operating system name a connection that is gone. */
const CONNECTION_ERROR =
  /Connection is closed|connection close|Stream isn't writeable|max retries per request|Command timed out|Failed to refresh slots cache|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH/i;

/** What Redis says to whoever may not come in, and to commands that a user may not call. */
const REFUSAL = /^(WRONGPASS|NOAUTH|NOPERM|ERR (AUTH|invalid password|invalid DB index|DB index))\b/i;

/** Whether Redis itself turned a connection away. */
export function isRefusal(error: unknown): error is Error {
  return error instanceof Error && REFUSAL.test(error.message);
}

/** Redis's own word in front, then what to set: its sentences (`NOAUTH HELLO must be called with ...`) are about its protocol. */
const MEANINGS: Readonly<Record<string, string>> = {
  NOAUTH:
    "this Redis asks for a password and was given none; expected it in the URL (redis://user:password@host, or redis://:password@host)",
  WRONGPASS: "this Redis does not take the user or the password that it was given, or the user is disabled",
};

/** What an error of Redis means to whoever set it up. */
export function meaningOf({ message }: Error): string {
  const [word = ""] = message.split(" ", 1);
  return Object.hasOwn(MEANINGS, word) ? `${word}: ${MEANINGS[word]}` : message;
}

/** For a log: whether it is away, or there and closed to us. */
export function troubleOf(error: unknown): string {
  return isRefusal(error) ? "Redis lets nobody in" : "Redis does not answer";
}

/** Whether it is the reply to a SELECT of a database that Redis does not have. */
export function isMissingDatabase(error: Error): boolean {
  return /^ERR (invalid DB index|DB index)/i.test(error.message);
}

/**
 * What an error of a Redis operation means: `transient` where it can be repeated, `RedisRefused` where Redis answered that it will not
 * (a wrong password, a command that its user may not call), `RedisKeyTaken` where something of another type lies under a name of ours, and `undefined` for everything that is not about Redis.
 */
export function connectionProblem(error: unknown): "transient" | ActivityError | undefined {
  if (!(error instanceof Error) || error instanceof ActivityError) return undefined;
  if (error instanceof ReplyError || error.name === "ReplyError") {
    if (TRANSIENT_REPLY.test(error.message)) return "transient";
    if (isForeign(error))
      return new ActivityError("RedisKeyTaken", foreignMeans(error), { cause: withoutCommand(error) });
    return new ActivityError("RedisRefused", meaningOf(error), { cause: withoutCommand(error) });
  }
  const code = "code" in error ? String(error.code) : "";
  return CONNECTION_ERROR.test(`${code} ${error.message} ${error.name}`) ? "transient" : undefined;
}
