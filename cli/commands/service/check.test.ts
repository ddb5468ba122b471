import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { startRedis, startSandbox, type SandboxOptions } from "../../../sandbox/index.ts";
import { redisUrl } from "../../../test/fixtures.ts";
import { jsonLines, runCli } from "../../command-harness.ts";

/** A setup as a worker would have it; `profile` are settings of its one profile. */
async function setup(profile: object = {}, options: SandboxOptions = {}) {
  const sandbox = await startSandbox(options);
  onTestFinished(() => sandbox.close());
  const folder = await mkdtemp(join(tmpdir(), "bucketline-check-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const provider = { type: "static", accessKeyId: { env: "S3_KEY" }, secretAccessKey: { env: "S3_SECRET" } };
  const settings = {
    provider,
    endpoint: sandbox.endpoint,
    region: "us-east-1",
    checksums: "when-supported",
    ...profile,
  };
  await writeFile(join(folder, "profiles.json"), JSON.stringify({ profiles: { default: settings } }));
  const env = {
    REDIS_URL: redisUrl(),
    BUCKETLINE_PROFILES: join(folder, "profiles.json"),
    DOCUMENTS_URL: pathToFileURL(join(folder, "documents")).href,
    S3_KEY: sandbox.credentials.accessKeyId,
    S3_SECRET: sandbox.credentials.secretAccessKey,
  };
  const check = async (args: readonly string[] = [], more: NodeJS.ProcessEnv = {}) => {
    const { code, stdout } = await runCli(["check", "--json", ...args], { env: { ...env, ...more } });
    const findings = jsonLines(stdout);
    return { code, findings, problems: findings.filter(({ level }) => level === "problem") };
  };
  return { sandbox, folder, check };
}

test("finds nothing wrong with a setup that works, and leaves nothing behind", async () => {
  const { sandbox, folder, check } = await setup({
    conditionalCopy: true,
    conditionalDelete: true,
    conditionalWrite: true,
  });
  sandbox.createBucket("mine", { versioning: true });
  sandbox.put("mine", "kept", "x");
  const { code, problems, findings } = await check(["--bucket", "mine"]);
  expect([code, problems]).toEqual([0, []]);
  expect(findings.map(({ about }) => about)).toContain("conditional delete (DeleteObjects)");
  expect(sandbox.keys("mine")).toEqual(["kept"]);
  expect(sandbox.uploads("mine")).toEqual([]);
  const files = await readdir(join(folder, "documents"), { recursive: true, withFileTypes: true });
  expect(files.filter((entry) => entry.isFile())).toEqual([]);
});

test("advises to take away what everybody on this machine may change", async () => {
  const { folder, check } = await setup();
  const opened = async () => {
    const { code, findings } = await check();
    return [code, ...findings.filter(({ found }) => /everybody/.test(String(found))).map(({ about }) => about)];
  };
  await mkdir(join(folder, "documents"), { mode: 0o700 });
  expect(await opened()).toEqual([0]);
  // The umask has its word where a file is made.
  await chmod(join(folder, "documents"), 0o1777);
  await chmod(join(folder, "profiles.json"), 0o666);
  expect(await opened()).toEqual([0, "BUCKETLINE_PROFILES", "DOCUMENTS_URL"]);
  await chmod(join(folder, "documents"), 0o700);
  await chmod(join(folder, "profiles.json"), 0o600);
  await chmod(folder, 0o777);
  expect(await opened()).toEqual([0, "BUCKETLINE_PROFILES", "DOCUMENTS_URL"]);
});

test("names a profile that promises what its store does not enforce", async () => {
  const lax = { enforceConditions: { copySource: false, copy: false, multiDelete: false } };
  const flags = { conditionalCopy: true, conditionalDelete: true, conditionalWrite: true };
  const { sandbox, check } = await setup(flags, lax);
  sandbox.createBucket("mine");
  const { code, problems } = await check(["--bucket", "mine"]);
  expect(code).toBe(1);
  expect(problems.map(({ advice }) => advice)).toEqual([
    'set "conditionalCopy": false',
    'set "conditionalDelete": false',
    'set "conditionalWrite": false',
  ]);
});

test(
  "measures what a store does in ways of its own, and prints the profile that fits",
  { timeout: 60_000 },
  async () => {
    const odd = {
      enforceConditions: { copySource: false },
      quirks: { foldedKeys: ["case"], ignoredRanges: true, deleteObjects: "NotImplemented", noHeadEtags: false },
    } as const;
    const { sandbox, check } = await setup({ conditionalCopy: false, conditionalDelete: false }, odd);
    sandbox.createBucket("mine");
    const { code, findings, problems } = await check(["--bucket", "mine", "--probe"]);
    expect([code, problems]).toEqual([0, []]);
    const level = (about: string) => findings.find((one) => one["about"] === about)?.["level"];
    const named = ["names by case", "names by slashes", "ranges", "bulk delete (DeleteObjects)", "website redirect"];
    expect(named.map(level)).toEqual(["advice", "fine", "advice", "advice", "fine"]);
    const fits = findings.find(({ about }) => about === "the profile that fits");
    expect(JSON.parse(String(fits?.["found"]))).toEqual({
      endpoint: sandbox.endpoint,
      region: "us-east-1",
      pathStyle: true,
      conditionalCopy: false,
      conditionalDelete: false,
      conditionalWrite: true,
      checksums: "when-supported",
    });
    expect(sandbox.keys("mine")).toEqual([]);
    expect((await check(["--probe"])).code).toBe(2);
  },
);

test("names a Redis that may drop jobs", async () => {
  const redis = await startRedis({ maxmemoryPolicy: "allkeys-lru", appendonly: true });
  onTestFinished(() => redis.stop());
  const { check } = await setup();
  const { code, problems, findings } = await check([], { REDIS_URL: redis.url });
  expect(code).toBe(1);
  expect(problems).toMatchObject([{ about: "Redis eviction policy", advice: expect.stringContaining("noeviction") }]);
  expect(findings).toContainEqual({ level: "fine", about: "Redis persistence", found: "append-only file" });
});

test("goes on after each problem, and shows no password", async () => {
  const { check, folder } = await setup();
  await writeFile(join(folder, "taken"), "a file where the documents should be");
  const broken = {
    REDIS_URL: "redis://user:hunter2@127.0.0.1:1",
    DOCUMENTS_URL: pathToFileURL(join(folder, "taken")).href,
    S3_SECRET: "wrong",
  };
  const { code, problems, findings } = await check([], broken);
  expect(code).toBe(1);
  expect(problems.map(({ about }) => about)).toEqual(["Redis", "document store", "profile default"]);
  expect(JSON.stringify(findings)).not.toContain("hunter2");
});

test("names every problem of the configuration", async () => {
  const { check } = await setup();
  const { code, problems } = await check([], { BUCKETLINE_CONCURENCY: "8" });
  expect(code).toBe(1);
  expect(problems).toMatchObject([{ found: expect.stringContaining("did you mean BUCKETLINE_CONCURRENCY?") }]);
  expect((await check(["--profile", "nobody"])).problems).toMatchObject([
    { found: "there is none; there are: default" },
  ]);
});

test("seal-keys makes a pair that workers read, for its owner alone, and never writes over one", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bucketline-seal-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const files = ["--private", join(folder, "private.json"), "--public", join(folder, "public.json")];
  expect(await runCli(["seal-keys", ...files])).toMatchObject({ code: 0 });
  const made = await readFile(join(folder, "private.json"), "utf8");
  expect(JSON.parse(made)).toMatchObject({ keys: [{ kty: "EC", d: expect.any(String) }] });
  expect(await readFile(join(folder, "public.json"), "utf8")).not.toContain('"d"');
  expect((await stat(join(folder, "private.json"))).mode & 0o777).toBe(0o600);
  expect(await runCli(["seal-keys", ...files])).toMatchObject({ code: 1 });
  expect(await readFile(join(folder, "private.json"), "utf8")).toBe(made);
});
