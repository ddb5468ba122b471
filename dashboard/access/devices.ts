import { createHmac, randomBytes } from "node:crypto";
import type { User } from "./entries.ts";
import { isEqual, userKey } from "./sessions.ts";

const DAYS_MS = 90 * 86_400_000;

/**
 * A browser that a user has signed in with before is known by a cookie. Its tries are counted by themselves, so that strangers who guess
 * at a name lock out strangers and not the person. https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies
 */
export function createDevice(user: User): string {
  const id = randomBytes(12).toString("base64url");
  const until = String(Date.now() + DAYS_MS);
  return `${id}.${until}.${macOf(user, id, until)}`;
}

/** The id of a known browser of this user; undefined for strangers. */
export function knownDevice(cookie: string | undefined, user: User | undefined): string | undefined {
  const [id = "", until = "", mac = ""] = cookie?.split(".") ?? [];
  if (user === undefined || !/^\d{13,15}$/.test(until) || Number(until) <= Date.now()) return undefined;
  return isEqual(mac, macOf(user, id, until)) ? id : undefined;
}

function macOf(user: User, id: string, until: string): string {
  return createHmac("sha256", userKey(user, "device")).update(`${id}.${until}`).digest("base64url");
}
