import { readFileSync } from "node:fs";

/** Variables beside `REDIS_URL`, for what is kept apart from it: each becomes a part of the URL. */
const PARTS = {
  BUCKETLINE_REDIS_USERNAME: "username",
  BUCKETLINE_REDIS_PASSWORD: "password",
  BUCKETLINE_REDIS_SENTINEL_USERNAME: "sentinelUsername",
  BUCKETLINE_REDIS_SENTINEL_PASSWORD: "sentinelPassword",
  BUCKETLINE_REDIS_CA_FILE: "caFile",
  BUCKETLINE_REDIS_CERT_FILE: "certFile",
  BUCKETLINE_REDIS_KEY_FILE: "keyFile",
  BUCKETLINE_REDIS_SERVER_NAME: "serverName",
  BUCKETLINE_REDIS_NAT_MAP: "natMap",
} as const;
type Part = keyof typeof PARTS;

/** Their values are files already, which a `_FILE` would only name twice. */
const FILES: readonly Part[] = ["BUCKETLINE_REDIS_CA_FILE", "BUCKETLINE_REDIS_CERT_FILE", "BUCKETLINE_REDIS_KEY_FILE"];

const NAMES = Object.keys(PARTS) as Part[]; // all of them

/** Every variable that says where Redis is, beside `REDIS_URL` and `REDIS_URL_FILE`. */
export const REDIS_VARIABLES: readonly string[] = NAMES.flatMap((name) =>
  FILES.includes(name) ? [name] : [name, `${name}_FILE`],
);

const DEFAULT_URL = "redis://127.0.0.1:6379";

/**
 * One URL out of `REDIS_URL` (or the file that `REDIS_URL_FILE` names) and the variables beside it. An empty variable counts as absent.
 * What is wrong with them goes into `problems`; whether the URL can be one is not looked at here.
 */
export function redisUrlOf(env: NodeJS.ProcessEnv, problems: string[]): string {
  const url = valueOf(env, "REDIS_URL", problems) ?? DEFAULT_URL;
  const parts = new Map(
    NAMES.flatMap((name): [string, string][] => {
      const value = FILES.includes(name) ? env[name]?.trim() : valueOf(env, name, problems);
      return value ? [[PARTS[name], value]] : [];
    }),
  );
  if (parts.size === 0) return url;
  return withOptions(withUser(url, parts, problems), parts);
}

function valueOf(env: NodeJS.ProcessEnv, name: string, problems: string[]): string | undefined {
  const given = env[name]?.trim() || undefined;
  const file = env[`${name}_FILE`];
  if (!file) return given;
  if (given !== undefined) {
    problems.push(`${name}_FILE: expected either it or ${name}, got both`);
    return given;
  }
  try {
    const value = readFileSync(file, "utf8").trim();
    if (value === "") problems.push(`${name}_FILE: expected a value in ${file}, which is empty`);
    return value;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unreadable"; // node:fs throws nothing else
    problems.push(`${name}_FILE: expected a readable file at ${file}, got ${code}`);
    return given;
  }
}

function withUser(url: string, parts: ReadonlyMap<string, string>, problems: string[]): string {
  const [username, password] = [parts.get("username"), parts.get("password")];
  if (username === undefined && password === undefined) return url;
  const [, scheme = "", user = "", rest = ""] = /^([a-z+]+:\/\/)(?:([^@/?#]*)@)?(.*)$/s.exec(url) ?? [];
  if (scheme === "") return url;
  const at = user.indexOf(":");
  const [name, secret] = at === -1 ? [user, ""] : [user.slice(0, at), user.slice(at + 1)];
  if (username !== undefined && name !== "")
    problems.push("BUCKETLINE_REDIS_USERNAME: expected either it or a user in REDIS_URL, got both");
  if (password !== undefined && secret !== "")
    problems.push("BUCKETLINE_REDIS_PASSWORD: expected either it or a password in REDIS_URL, got both");
  const encoded = [
    username === undefined ? name : encodeURIComponent(username),
    password === undefined ? secret : encodeURIComponent(password),
  ];
  return `${scheme}${encoded.join(":")}@${rest}`;
}

function withOptions(url: string, parts: ReadonlyMap<string, string>): string {
  const options = [...parts].filter(([name]) => name !== "username" && name !== "password");
  if (options.length === 0) return url;
  const text = options.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
  return `${url}${url.includes("?") ? "&" : "?"}${text}`;
}
