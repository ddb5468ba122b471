import type { ApiRoute } from "../dashboard/http/route.ts";

/** A request that nobody would send in earnest. */
export type FuzzRequest = {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
};

const METHODS = ["GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS"];
const TEXTS = [
  "",
  "0",
  "-1",
  "1e309",
  "NaN",
  "null",
  "undefined",
  "true",
  "[]",
  "{}",
  "meta",
  "wait",
  "events",
  "~workers",
  "__proto__",
  "constructor",
  "a:b:c",
  "../../etc/passwd",
  "%",
  "%00",
  "%ff%fe",
  "%2e%2e%2f",
  "\u0000",
  "\ud800",
  "𝕳𝖊𝖑𝖑𝖔 ☃",
  "<script>alert(1)</script>",
  "' OR 1=1 --",
  "${7*7}",
  "{{7*7}}",
  "a".repeat(600),
  "a".repeat(3000),
  "2026-13-45T99:99:99Z",
  "b12345678",
  "bzzzzzzzzzzzzzzzzzzzzzzz",
  "9".repeat(40),
  "\r\nSet-Cookie: a=b",
];
const NAMES = [
  "bucket",
  "key",
  "object",
  "destination",
  "prefix",
  "limit",
  "credentials",
  "sealed",
  "operation",
  "source",
  "items",
  "manifest",
  "filter",
  "include",
  "dryRun",
  "priority",
  "document",
  "id",
  "size",
  "__proto__",
  "constructor",
  "metadata",
  "tags",
  "range",
  "start",
  "end",
  "name",
  "password",
];
const TYPES = [
  "application/json",
  "application/json; charset=utf-16",
  "text/plain",
  "multipart/form-data; boundary=x",
  "application/x-www-form-urlencoded",
  "",
  "*/*",
  "application/octet-stream",
];

type PickOne = <T>(list: readonly T[]) => T;

function someHeaders(random: () => number, pick: PickOne): Record<string, string> {
  const headers: Record<string, string> = {};
  if (random() < 0.2)
    headers["idempotency-key"] = pick(TEXTS)
      .replaceAll(/[^\x20-\x7e]/g, "")
      .trim();
  if (random() < 0.1) headers["authorization"] = pick(["Bearer", "Bearer x", "Basic Og==", "x".repeat(2000)]);
  if (random() < 0.1)
    headers["cookie"] = pick(["bucketline_session=x", "bucketline_session=%00", "=;=;", "a=b; ".repeat(200)]);
  if (random() < 0.1) headers["accept"] = pick(["text/html", "*/*", "application/x-nothing", ""]);
  return headers;
}

/** The same seed makes the same requests. https://en.wikipedia.org/wiki/Linear_congruential_generator */
export function createFuzzer(routes: readonly Pick<ApiRoute, "method" | "path" | "query">[], seed: number) {
  let state = seed >>> 0;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T; // the lists are not empty
  const text = () => pick(TEXTS);

  function value(depth: number): unknown {
    const kind = Math.floor(random() * (depth > 3 ? 5 : 8));
    if (kind === 0) return text();
    if (kind === 1) return pick([0, -1, 1.5, 2 ** 53, -0, 1e308]);
    if (kind === 2) return pick([true, false, null]);
    if (kind === 3) return pick(["copy", "move", "delete", "abc", "default", "skip", "ndjson", "STANDARD"]);
    if (kind === 4) return pick(["valid-bucket", "a/b.txt", "2026-01-01T00:00:00Z"]);
    if (kind === 5) return Array.from({ length: Math.floor(random() * 4) }, () => value(depth + 1));
    return Object.fromEntries(Array.from({ length: Math.floor(random() * 6) }, () => [pick(NAMES), value(depth + 1)]));
  }

  function body(): string {
    const json = JSON.stringify(value(0));
    const kind = random();
    if (kind < 0.8) return json;
    if (kind < 0.9) return json.slice(0, Math.floor(random() * json.length));
    return pick([`${json}${json}`, "\u0000\u0001", "[".repeat(5000), `{"a":${"9".repeat(400)}}`, "", "\ufeff{}"]);
  }

  function query(route: Pick<ApiRoute, "query">): string {
    const known = Object.keys(route.query?.shape ?? {});
    const parameters = Array.from({ length: Math.floor(random() * 4) }, () => {
      const name = known.length > 0 && random() < 0.7 ? pick(known) : pick([...NAMES, ...TEXTS]);
      return random() < 0.2 ? encode(name) : `${encode(name)}=${encode(text())}`;
    });
    return parameters.length === 0 ? "" : `?${parameters.join("&")}`;
  }

  /** Mostly encoded as it should be; sometimes raw, as far as HTTP lets it through. */
  function encode(part: string): string {
    if (random() < 0.15) return part.replaceAll(/[^\x21-\x7e]/g, "");
    return encodeURIComponent(part.toWellFormed());
  }

  return (): FuzzRequest => {
    const route = pick(routes);
    const path = route.path.replaceAll(/:\w+/g, () =>
      random() < 0.3 ? pick(["list-objects", "batch-chunk", "b12345678"]) : encode(text()) || "x",
    );
    const method = random() < 0.8 ? route.method : pick(METHODS);
    const headers = someHeaders(random, pick);
    const sends = method !== "GET" && method !== "HEAD" && random() < 0.85;
    if (sends) headers["content-type"] = random() < 0.8 ? "application/json" : pick(TYPES);
    return { method, path: `${path}${query(route)}`.slice(0, 7000), headers, ...(sends && { body: body() }) };
  };
}
