import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { findProgram } from "../sandbox/redis-engine.ts";
import { makeCertificates } from "./certificates.ts";
import { startDashboardHarness } from "./dashboard-harness.ts";
import { doEverything } from "./everything.ts";
import { freePort, startServer } from "./faults/redis/server.ts";
import { startHarness } from "./harness.ts";

const PREFIX = "restricted";
const here = process.env["PATH"] ?? "";
const programs = ["redis-server", "redis-cli", "openssl"].map((name) => findProgram(name, here));

/** What this test does not meet each time: the pulse of idle connections, scripts of BullMQ for jobs that stall, retry or have children, another version of Redis, WAIT. */
const SELDOM = new Set(
  (
    "decr incrby lpop lset pexpireat ping quit rpop rpush select sismember unlink unsubscribe wait xdel xlen xrange zlexcount " +
    "zrangebylex"
  ).split(" "),
);

/** The rights that docs/production.md tells operators to give. */
async function documentedRights(): Promise<readonly string[]> {
  const text = await readFile(new URL("../docs/production.md", import.meta.url), "utf8");
  return (/ACL SETUSER bucketline [^`]*? -@all ([^`]*)/.exec(text)?.[1] ?? "")
    .split(/[\s\\]+/)
    .filter((word) => word.startsWith("+"));
}

/** Redis as others run it: over TLS alone, for those who show a certificate, without the commands that operators take away. */
async function startRestricted(rights: readonly string[]) {
  const folder = await mkdtemp(join(tmpdir(), "bucketline-tls-"));
  const { ca, server, client } = makeCertificates(folder);
  const tlsPort = await freePort();
  const gone = ["CONFIG", "KEYS", "FLUSHALL", "FLUSHDB", "DEBUG", "MONITOR", "SHUTDOWN"];
  const redis = await startServer({
    "tls-port": tlsPort,
    "tls-cert-file": server.cert,
    "tls-key-file": server.key,
    "tls-ca-cert-file": ca,
    "tls-auth-clients": "yes",
    "rename-command": gone.map((name) => [name, `removed-${name}`]),
  });
  const admin = new Redis(redis.port, "127.0.0.1");
  onTestFinished(async () => {
    admin.disconnect();
    await redis.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const given = [`~${PREFIX}:*`, `&${PREFIX}:*`, "-@all", ...rights];
  await admin.call("ACL", "SETUSER", "bucketline", "on", ">p@ss/word", ...given);
  const files = new URLSearchParams({ caFile: ca, certFile: client.cert, keyFile: client.key });
  return {
    admin,
    url: `rediss://bucketline:${encodeURIComponent("p@ss/word")}@127.0.0.1:${tlsPort}?${files.toString()}`,
  };
}

// What Docker alone gives has other settings than these; `npm test` installs the programs in CI.
test.skipIf(programs.includes(undefined))(
  "everything works over TLS for a user who may touch our keys alone, by the commands that the documentation lists",
  async () => {
    const rights = await documentedRights();
    const { admin, url } = await startRestricted(rights);
    await admin.call("removed-CONFIG", "RESETSTAT");
    const harness = await startHarness({ redis: url, prefix: PREFIX });
    onTestFinished(() => harness.close());
    const dashboard = await startDashboardHarness({
      redis: url,
      prefix: PREFIX,
      documentsUrl: harness.config.documentsUrl,
    });
    onTestFinished(() => dashboard.close());
    await doEverything({ harness, dashboard });
    expect(await refused(admin)).toEqual([]);
    const used = await commandsOf(admin);
    const may = new Set(rights.map((right) => right.slice(1)));
    expect([...used].filter((name) => !may.has(name))).toEqual([]);
    expect([...may].filter((name) => !used.has(name) && !SELDOM.has(name))).toEqual([]);
  },
  180_000,
);

/** What somebody was not allowed. */
async function refused(admin: Redis): Promise<unknown> {
  return await admin.call("ACL", "LOG");
}

/** Every command that was called since the start, but those of this test's own. */
async function commandsOf(admin: Redis): Promise<ReadonlySet<string>> {
  const stats = await admin.info("commandstats");
  const names = [...stats.matchAll(/^cmdstat_([^:]+):/gm)].map(([, name = ""]) => name);
  return new Set(names.filter((name) => !/^(acl|config)\b/.test(name)));
}
