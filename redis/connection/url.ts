import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import type { ConnectionOptions as TlsOptions } from "node:tls";
import type { ClusterOptions, NatMap, RedisOptions } from "ioredis";
import { z } from "zod";
import { ActivityError } from "../../model/activity-error.ts";

/** What a URL says, in ioredis' words. */
export type RedisTarget =
  | { readonly kind: "node" | "sentinel"; readonly options: RedisOptions }
  | { readonly kind: "cluster"; readonly nodes: readonly Address[]; readonly options: ClusterOptions };

type Address = { readonly host: string; readonly port: number };

/** The forms of a URL, for whoever wrote one that is none of them. */
export const REDIS_URL_FORMS =
  "redis://[user:password@]host[:port][/db], redis+sentinel://[user:password@]host:port,host:port/master[/db] or " +
  "redis+cluster://[user:password@]host:port,host:port; rediss:// for TLS";

/** What may follow `?`; see docs/configuration.md. */
const OPTIONS = [
  "caFile",
  "certFile",
  "keyFile",
  "serverName",
  "sentinelUsername",
  "sentinelPassword",
  "natMap",
  "family",
] as const;
type Option = (typeof OPTIONS)[number];

const DEFAULT_PORT = { node: 6379, sentinel: 26_379, cluster: 6379 } as const;

/** A URL that can be one of Redis. Its value is never quoted: it may hold a password. */
export const RedisUrl = z.string().superRefine((text, context) => {
  try {
    parseRedisUrl(text.trim(), { files: false });
  } catch (error) {
    if (!(error instanceof UrlProblem)) throw error;
    context.addIssue({ code: "custom", message: error.message });
  }
});

/** Which part of a URL is wrong, and what was expected there. */
class UrlProblem extends Error {
  override readonly name = "UrlProblem";
}

/**
 * Reads a URL of Redis; the files that it names are read now.
 *
 * @throws ActivityError `InvalidInput` that says what was expected, never what was given
 */
export function readRedisUrl(text: string): RedisTarget {
  try {
    return parseRedisUrl(text, { files: true });
  } catch (error) {
    if (!(error instanceof UrlProblem)) throw error;
    throw new ActivityError("InvalidInput", `redis: ${error.message}`, { field: "redis", cause: error.cause });
  }
}

function parseRedisUrl(text: string, { files }: { readonly files: boolean }): RedisTarget {
  // Several hosts with ports are nothing that the URL class takes.
  const parts = /^(rediss?)(?:\+(sentinel|cluster))?:\/\/(?:([^@/?#]*)@)?([^@/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/.exec(
    text,
  );
  if (parts === null) throw new UrlProblem(`expected ${REDIS_URL_FORMS}`);
  const [, scheme, form = "node", user = "", hosts = "", path = "", query = ""] = parts;
  const kind = form as RedisTarget["kind"]; // one of the three of the expression
  const options = optionsOf(query);
  const addresses = addressesOf(hosts, kind);
  const common = { ...credentialsOf(user), ...tlsOf(options, scheme === "rediss", files), ...familyOf(options) };
  const natMap = natMapOf(options.get("natMap"));
  if (kind === "sentinel") return { kind, options: sentinelOptions(addresses, path, { common, options, natMap }) };
  for (const name of ["sentinelUsername", "sentinelPassword"] as const)
    if (options.has(name)) throw new UrlProblem(`${name}: expected only with redis+sentinel://`);
  if (kind === "cluster") {
    if (!/^0?\/?$/.test(path)) throw new UrlProblem("expected no database but 0: Redis Cluster has no other");
    return { kind, nodes: addresses, options: { redisOptions: common, ...(natMap && { natMap }) } };
  }
  if (natMap) throw new UrlProblem("natMap: expected only with redis+sentinel:// or redis+cluster://");
  return { kind, options: { ...addresses[0], ...common, db: databaseOf(path) } };
}

function optionsOf(query: string): ReadonlyMap<Option, string> {
  const options = new Map<Option, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    const known = OPTIONS.find((option) => option === name);
    if (known === undefined) throw new UrlProblem(`expected no other options than ${OPTIONS.join(", ")}`);
    if (options.has(known)) throw new UrlProblem(`${known}: expected once`);
    options.set(known, value);
  }
  return options;
}

function addressesOf(hosts: string, kind: RedisTarget["kind"]): Address[] {
  const all = hosts.split(",").map((host) => addressOf(host, DEFAULT_PORT[kind]));
  if (kind === "node" && all.length > 1)
    throw new UrlProblem("expected one host; several belong to redis+sentinel:// or redis+cluster://");
  return all;
}

function addressOf(text: string, defaultPort: number): Address {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const number = port === undefined ? defaultPort : Number(port);
  if (host === undefined || (bracketed !== undefined && isIP(bracketed) !== 6) || number < 1 || number > 65_535)
    throw new UrlProblem(`expected ${REDIS_URL_FORMS}`);
  return { host, port: number };
}

function credentialsOf(user: string): Pick<RedisOptions, "username" | "password"> {
  if (user === "") return {};
  const at = user.indexOf(":");
  const [name, password] = at === -1 ? [user, ""] : [user.slice(0, at), user.slice(at + 1)];
  try {
    return {
      ...(name !== "" && { username: decodeURIComponent(name) }),
      ...(password !== "" && { password: decodeURIComponent(password) }),
    };
  } catch (cause) {
    throw new UrlProblem("expected user and password in percent-encoding: % itself is %25, @ is %40, / is %2F", {
      cause,
    });
  }
}

function databaseOf(path: string): number {
  if (!/^\d{0,5}$/.test(path)) throw new UrlProblem("expected a database by its number after the slash, such as /2");
  return Number(path);
}

function tlsOf(
  options: ReadonlyMap<Option, string>,
  tls: boolean,
  files: boolean,
): { readonly tls?: TlsOptions } | undefined {
  const read = (name: "caFile" | "certFile" | "keyFile") => {
    const file = options.get(name);
    return file === undefined || !files ? undefined : readFile(name, file);
  };
  if (!tls) {
    const needless = (["caFile", "certFile", "keyFile", "serverName"] as const).find((name) => options.has(name));
    if (needless !== undefined) throw new UrlProblem(`${needless}: expected rediss:// in front, which is TLS`);
    return {};
  }
  if (options.has("certFile") !== options.has("keyFile"))
    throw new UrlProblem("certFile, keyFile: expected both or neither");
  const [ca, cert, key] = [read("caFile"), read("certFile"), read("keyFile")];
  const servername = options.get("serverName");
  return { tls: { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }), ...(servername && { servername }) } };
}

function readFile(name: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? "unreadable"; // node:fs throws nothing else
    throw new UrlProblem(`${name}: expected a readable file at ${file}, got ${code}`, { cause });
  }
}

function familyOf(options: ReadonlyMap<Option, string>): { readonly family?: number } {
  const family = options.get("family");
  if (family === undefined) return {};
  if (family !== "4" && family !== "6") throw new UrlProblem("family: expected 4 or 6");
  return { family: Number(family) };
}

/** `seen=real,seen=real`: an address that sentinels or nodes tell, and the one under which it is reached from here. */
function natMapOf(text: string | undefined): NatMap | undefined {
  if (text === undefined) return undefined;
  const pairs = text.split(",").map((pair) => {
    const [seen = "", real = "", more] = pair.split("=");
    if (seen === "" || real === "" || more !== undefined)
      throw new UrlProblem(
        "natMap: expected told=reached pairs such as 10.0.0.2:6379=127.0.0.1:7001, with commas between",
      );
    const { host, port } = addressOf(seen, DEFAULT_PORT.node);
    return [`${host}:${port}`, addressOf(real, DEFAULT_PORT.node)] as const;
  });
  return Object.fromEntries(pairs);
}

function sentinelOptions(
  sentinels: readonly Address[],
  path: string,
  given: {
    readonly common: RedisOptions;
    readonly options: ReadonlyMap<Option, string>;
    readonly natMap: NatMap | undefined;
  },
): RedisOptions {
  const [name = "", db = "", more] = path.split("/");
  if (!/^[A-Za-z0-9._-]+$/.test(name) || more !== undefined)
    throw new UrlProblem(
      "expected the name of the master after the sentinels: redis+sentinel://host:26379/mymaster[/db]",
    );
  const { common, options, natMap } = given;
  const username = options.get("sentinelUsername");
  const password = options.get("sentinelPassword");
  return {
    ...common,
    sentinels: [...sentinels],
    name,
    db: databaseOf(db),
    ...(username !== undefined && { sentinelUsername: username }),
    ...(password !== undefined && { sentinelPassword: password }),
    ...(common.tls && { sentinelTLS: common.tls, enableTLSForSentinelMode: true }),
    ...(natMap && { natMap }),
  };
}

/** A URL for logs: without passwords, and of its options only what says where it leads. */
export function withoutSecrets(text: string): string {
  return text.replace(/\/\/([^@/?#:]*):[^@/?#]*@/, "//$1:***@").replace(/\?.*$/s, "");
}
