import type { ScriptCall } from "./call.ts";

/* What the scripts of redis/leases.ts do, in JavaScript: the model has no Lua. */

const OBJECT = /^(\d+) ([a-z]+) (\S+) (.*)$/s;
const RANGE = /^(\d+) ([a-z]+) (.*)$/s;
const HOLDER = /^(.*) \d+$/s;

const holderOf = (field: string): string => HOLDER.exec(field)?.[1] ?? "";

const keepsOut = (role: string, other: string | undefined): boolean => other !== role || role === "fills";

export function takeObjects({ keys, args, hash, now }: ScriptCall): string {
  const [holder = "", token = "", ttl = "0", ...named] = args;
  const objects = Array.from({ length: keys.length / 2 }, (_, i) => ({
    held: hash(keys[2 * i] ?? ""),
    ranges: hash(keys[2 * i + 1] ?? ""),
    key: named[2 * i] ?? "",
    role: named[2 * i + 1] ?? "",
  }));
  let again = "";
  for (const { held, ranges, key, role } of objects) {
    const [, till = "0", , , by = ""] = OBJECT.exec(held.get(key) ?? "") ?? [];
    if (Number(till) > now && by !== holder) return by;
    if (Number(till) > now) again = "=";
    for (const [field, value] of ranges) {
      const [, until = "0", other, prefix = ""] = RANGE.exec(value) ?? [];
      if (Number(until) > now && keepsOut(role, other) && key.startsWith(prefix)) return holderOf(field);
    }
  }
  for (const { held, key, role } of objects) held.set(key, `${now + Number(ttl)} ${role} ${token} ${holder}`);
  return again;
}

export function renewObjects({ keys, args, hash, now }: ScriptCall): number {
  const [mine, ttl = "0", ...named] = args;
  let all = 1;
  for (const [i, name] of keys.entries()) {
    const held = hash(name);
    const key = named[i] ?? "";
    const [, till = "0", role = "", token, holder = ""] = OBJECT.exec(held.get(key) ?? "") ?? [];
    if (token !== mine) all = 0;
    else if (ttl === "0") held.delete(key);
    else if (Number(till) <= now) all = 0;
    else held.set(key, `${now + Number(ttl)} ${role} ${token ?? ""} ${holder}`);
  }
  return all;
}

export function takeRanges({ keys, args, hash, now }: ScriptCall): string {
  const [holder = "", ttl = "0", ...named] = args;
  const ranges = Array.from({ length: keys.length / 2 }, (_, i) => ({
    objects: hash(keys[2 * i] ?? ""),
    held: hash(keys[2 * i + 1] ?? ""),
    prefix: named[2 * i] ?? "",
    role: named[2 * i + 1] ?? "",
  }));
  for (const { objects, held, prefix, role } of ranges) {
    for (const [key, value] of objects) {
      const [, till = "0", other, , by = ""] = OBJECT.exec(value) ?? [];
      if (Number(till) <= now) objects.delete(key);
      else if (keepsOut(role, other) && key.startsWith(prefix)) return by;
    }
    for (const [field, value] of held) {
      const [, till = "0", other, theirs = ""] = RANGE.exec(value) ?? [];
      if (Number(till) <= now) held.delete(field);
      else if (
        holderOf(field) !== holder &&
        keepsOut(role, other) &&
        (prefix.startsWith(theirs) || theirs.startsWith(prefix))
      )
        return holderOf(field);
    }
  }
  for (const [i, { held, prefix, role }] of ranges.entries())
    held.set(`${holder} ${i + 1}`, `${now + Number(ttl)} ${role} ${prefix}`);
  return "";
}

export function releaseRanges({ keys, args, hash }: ScriptCall): number {
  for (const [i, name] of keys.entries()) hash(name).delete(`${args[0] ?? ""} ${i + 1}`);
  return 1;
}
