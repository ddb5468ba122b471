import { BlockList, isIPv4, isIPv6 } from "node:net";
import { isPasswordHash } from "../password-hash.ts";
import type { Role, Scope } from "./rights.ts";
import { readTokenOptions } from "./token-options.ts";

export type User = { readonly name: string; readonly role: Role; readonly hash: string };
/** A bearer token of the API; only its SHA-256 is known here. */
export type Token = {
  readonly name: string;
  readonly role: Role;
  readonly hash: string;
  /** Milliseconds since 1970; from then on it is nobody's. */
  readonly expires?: number;
  readonly scope?: Scope;
};

type Parsed<T> = { readonly entries: readonly T[]; readonly problems: readonly string[] };

const NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;

/** `name:role:hash`, separated by commas or lines; a line that starts with `#` is a comment. Problems name the entry by its number. */
export function parseUsers(text: string): Parsed<User> {
  return parse(text, (parts) => {
    const [name = "", role, hash = "", ...rest] = parts;
    if (rest.length > 0 || !NAME.test(name) || !isRole(role) || !isPasswordHash(hash))
      return "expected name:viewer|operator:hash, with a hash made by `bucketline dashboard hash-password`";
    return { name, role, hash };
  });
}

/**
 * `role:hash` or `name:role:hash` with the SHA-256 of the token in hexadecimal digits. Behind it, in any order: `:expires=2027-01-31`, the
 * last day, in UTC, on which it counts, and what it is for, `:activities=get-object|head-object`, `:buckets=in1|logs-*`,
 * `:prefixes=in/|out/`.
 */
export function parseTokens(text: string): Parsed<Token> {
  return parse(text, (given, number) => {
    const first = given.findIndex((part) => part.includes("="));
    const own = first === -1 ? given : given.slice(0, first);
    const [name = "", role, hash = "", ...rest] = own.length === 2 ? [`token-${number}`, ...own] : own;
    if (rest.length > 0 || !NAME.test(name) || !isRole(role) || !/^[0-9a-f]{64}$/.test(hash))
      return "expected [name:]viewer|operator:hash[:expires=YYYY-MM-DD], with a hash made by `bucketline dashboard create-token`";
    const options = readTokenOptions(first === -1 ? [] : given.slice(first));
    return typeof options === "string" ? options : { name, role, hash, ...options };
  });
}

function parse<T extends { readonly name: string }>(
  text: string,
  read: (parts: string[], number: number) => T | string,
): Parsed<T> {
  const entries: T[] = [];
  const problems: string[] = [];
  const lines = text.split(/[\n,]/).map((line) => line.trim());
  for (const [index, line] of lines.filter((entry) => entry !== "" && !entry.startsWith("#")).entries()) {
    const entry = read(line.split(":"), index + 1);
    if (typeof entry === "string") problems.push(`entry ${index + 1}: ${entry}`);
    else if (entries.some(({ name }) => name === entry.name))
      problems.push(`entry ${index + 1}: expected every name once`);
    else entries.push(entry);
  }
  return { entries, problems };
}

function isRole(text: string | undefined): text is Role {
  return text === "viewer" || text === "operator";
}

/** Only this machine can reach the address. A name is taken for loopback only where it is `localhost`. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  if (bare === "localhost") return true;
  if (isIPv4(bare)) return LOOPBACK.check(bare);
  return isIPv6(bare) && LOOPBACK.check(bare, "ipv6");
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8);
LOOPBACK.addAddress("::1", "ipv6");

/** What counts as one client: an address, or the /64 of IPv6 that whoever has one address there has whole. */
export function clientOf(address: string): string {
  const bare = address.replace(/^::ffff:(?=\d+\.)/i, "").replace(/%.*$/, "");
  if (!isIPv6(bare)) return bare;
  const [head = "", tail] = bare.toLowerCase().split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => "0");
  const groups = tail === undefined ? before : [...before, ...zeros, ...after];
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":")}::/64`;
}

/** Addresses and ranges as a list that can be asked. `::ffff:10.0.0.1` counts as 10.0.0.1. */
export function addressList(addresses: readonly string[]): (address: string | undefined) => boolean {
  const list = new BlockList();
  for (const entry of addresses) {
    const [address = "", bits] = entry.split("/");
    const family = isIPv4(address) ? "ipv4" : "ipv6";
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return (address) => {
    const bare = (address ?? "").replace(/^::ffff:(?=\d+\.)/i, "");
    if (isIPv4(bare)) return list.check(bare);
    return isIPv6(bare) && list.check(bare, "ipv6");
  };
}
