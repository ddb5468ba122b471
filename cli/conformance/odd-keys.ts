import type { Subject } from "./check.ts";
import { ActivityError } from "../../model/activity-error.ts";

/** Keys of which each breaks some tool or store. */
export const oddKeys: readonly string[] = [
  "plain.txt",
  "spaces in  a row .txt",
  "plus+percent%20%2Fampersand&equals=.txt",
  "question?mark#hash;semicolon,comma",
  "quotes'\"and<angles>",
  "brackets[]{}()*!~@$^|`\\",
  "ünïcødé/日本語/файл.txt",
  "emoji-😀-👩‍👩‍👧",
  "e\u0301-decomposed",
  "double//slash",
  "trailing-slash/",
  "/leading-slash",
  "dots...in.names/.hidden",
  // With `moved/` before it exactly the 1,024 bytes that a key may have.
  `long/${"x".repeat(1013)}`,
];

/** Keys that XML 1.0 cannot carry as they are: they live or die with url-encoded listings. */
export const controlKeys: readonly string[] = ["line\nbreak", "carriage\r\nreturn", "tab\there", "bell\u0007"];

/** How stores say no to a key: it is no name for them, or one that another object is in the way of. */
const NO: ReadonlySet<number> = new Set([400, 405, 409, 422, 501]);

/**
 * Leaves out the keys that the store took and keeps under no such name, as file systems do with a slash at the end or two in a row, and removes
 * what it made of them. Returns what is to be told.
 */
export async function leaveOutLost({ s3, odd: bucket, oddKeys: keys, signal }: Subject): Promise<string | undefined> {
  const { objects } = await s3.listPage({ bucket }, { signal });
  const listed = new Set(objects.map(({ key }) => key));
  const lost = keys.filter((key) => !listed.has(key));
  for (const key of lost) await s3.delete({ object: { bucket, key } }, { signal });
  if (lost.length === keys.length) throw new Error("expected some of the keys to be listed, none is");
  keys.splice(0, keys.length, ...keys.filter((key) => listed.has(key)));
  return lost.length === 0
    ? undefined
    : `taken, and kept under another name or none: ${lost.map((key) => JSON.stringify(key)).join(", ")}`;
}

/**
 * Runs the work for every odd key that the store takes. One that it refuses with a typed error, there or where it goes, is left out from
 * then on and told: a store that says no to a key fails nothing.
 */
export async function forOddKeys(keys: string[], work: (key: string) => Promise<void>): Promise<string | undefined> {
  const refused = new Map<string, string>();
  await forEachKey([...keys], async (key) => {
    try {
      await work(key);
    } catch (error) {
      if (!(error instanceof ActivityError) || error.retryable || !NO.has(error.httpStatus ?? 0)) throw error;
      refused.set(key, error.code);
    }
  });
  if (refused.size === 0) return undefined;
  keys.splice(0, keys.length, ...keys.filter((key) => !refused.has(key)));
  if (keys.length === 0) throw new Error("expected some of the keys to be taken, all are refused");
  return `refused: ${Array.from(refused, ([key, code]) => `${JSON.stringify(key.slice(0, 40))} (${code})`).join(", ")}`;
}

/** Runs the work for every key, eight at a time, and names the keys for which it threw. */
export async function forEachKey(keys: readonly string[], work: (key: string) => Promise<void>): Promise<void> {
  const failures: string[] = [];
  let first: unknown;
  const queue = [...keys];
  const lane = async () => {
    for (let key = queue.shift(); key !== undefined; key = queue.shift()) {
      try {
        await work(key);
      } catch (error) {
        first ??= error;
        failures.push(JSON.stringify(key.length > 40 ? `${key.slice(0, 40)}...` : key));
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, lane));
  if (failures.length === 0) return;
  const reason = first instanceof Error ? first.message : String(first);
  throw new Error(`${failures.length} of ${keys.length} keys: ${failures.join(", ")}: ${reason}`, { cause: first });
}
