import { createHash, randomBytes, scrypt, type ScryptOptions, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { HttpProblem } from "./http/problem.ts";

// The overloads of node:crypto's scrypt confuse promisify; this is the one with options.
const derive = promisify(
  scrypt as (
    password: string,
    salt: Buffer,
    length: number,
    options: ScryptOptions,
    done: (error: Error | null, key: Buffer) => void,
  ) => void,
);

/** OWASP's choice with 32 MiB of memory. https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#scrypt */
const COST = { ln: 15, r: 8, p: 3 } as const;
const KEY_BYTES = 32;

/** Neither `$` (Compose would expand it) nor `:` or `,` (the entry's own separators). */
const HASH = /^scrypt\.(\d{1,2})\.(\d{1,2})\.(\d{1,2})\.([A-Za-z0-9_-]{22,86})\.([A-Za-z0-9_-]{43,86})$/;

/** A hash of a password, as `BUCKETLINE_DASHBOARD_USERS` takes it: `scrypt.<log2 N>.<r>.<p>.<salt>.<key>`. */
export async function hashPassword(password: string): Promise<string> {
  const { ln, r, p } = COST;
  const salt = randomBytes(16);
  const key = await derive(password.normalize("NFC"), salt, KEY_BYTES, scryptOptions(ln, r, p));
  return ["scrypt", ln, r, p, salt.toString("base64url"), key.toString("base64url")].join(".");
}

/** Whether the text is a hash that {@link hashPassword} could have made, at a cost that neither is nothing nor stops the server. */
export function isPasswordHash(text: string): boolean {
  const [, ln, r, p] = HASH.exec(text) ?? [];
  return (
    ln !== undefined && Number(ln) >= 14 && Number(ln) <= 18 && Number(r) === 8 && Number(p) >= 1 && Number(p) <= 8
  );
}

/** Checks that may wait for their turn. Beyond them a try is turned away at once: a queue without an end would keep everybody out. */
const MOST_WAITING = 16;
/** Places that only browsers have that somebody has signed in with before. */
const MOST_KNOWN_WAITING = 32;

/** Hashes are costly on purpose, so they are made one after the other: a storm of logins must not eat memory and both cores. */
let last: Promise<unknown> = Promise.resolve();
let waiting = 0;

/**
 * Compares in constant time. `hash` must be a {@link isPasswordHash}. Fails with `TooManyLogins` where too many checks wait already.
 */
export async function verifyPassword(
  password: string,
  hash: string,
  { known = false }: { readonly known?: boolean } = {},
): Promise<boolean> {
  if (waiting >= (known ? MOST_KNOWN_WAITING : MOST_WAITING))
    throw new HttpProblem(429, "TooManyLogins", "too many sign-ins are being checked; try again in a moment", {
      headers: { "retry-after": "5" },
    });
  const [, ln, r, p, salt = "", key = ""] = HASH.exec(hash) ?? [];
  const expected = Buffer.from(key, "base64url");
  const options = scryptOptions(Number(ln), Number(r), Number(p));
  waiting++;
  const work = last.then(() =>
    derive(password.normalize("NFC"), Buffer.from(salt, "base64url"), expected.length, options),
  );
  // The next one waits for this one's end, however it ends.
  last = work.catch(() => undefined);
  try {
    return timingSafeEqual(await work, expected);
  } finally {
    waiting--;
  }
}

/**
 * A hash that no password matches, for a name that nobody has: at the cost of some user's, always the same for the same name, so that
 * the time of an answer tells nothing where users' hashes were made at different costs. None where there are no users.
 */
export function decoyHash(name: string, users: readonly { readonly hash: string }[]): string | undefined {
  const user = users[createHash("sha256").update(name).digest().readUInt32BE() % Math.max(1, users.length)];
  if (user === undefined) return undefined;
  const [scheme, ln, r, p, salt = "", key = ""] = user.hash.split(".");
  const bytes = Buffer.from(key, "base64url").length;
  const other = createHash("sha512").update(key).digest().subarray(0, bytes).toString("base64url");
  return [scheme, ln, r, p, salt, other].join(".");
}

/** A new bearer token, and its hash as `BUCKETLINE_DASHBOARD_TOKENS` takes it. */
export function createToken(): { readonly token: string; readonly hash: string } {
  const token = `bl_${randomBytes(32).toString("base64url")}`;
  return { token, hash: hashToken(token) };
}

/** Tokens are random, so one round of SHA-256 keeps them as well as a slow hash would. */
export function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

function scryptOptions(ln: number, r: number, p: number): ScryptOptions {
  return { N: 2 ** ln, r, p, maxmem: 256 * 2 ** ln * r };
}
