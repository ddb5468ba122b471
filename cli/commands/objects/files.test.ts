import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { type Harness, test } from "../../../test/harness.ts";
import { appEnv, type Ended, jsonLines, runCli, startCli } from "../../command-harness.ts";

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), "bucketline-cli-"));
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  return made;
}

type More = { readonly stdin?: string; readonly cwd?: string };

function cli(harness: Harness, args: readonly string[], more: More = {}): Promise<Ended> {
  return runCli(args, { env: appEnv(harness), ...more });
}

/** As {@link cli}, in a process of its own: with real pipes, and an end that nobody but the command brings about. */
function cliProcess(harness: Harness, args: readonly string[], more: More = {}): Promise<Ended> {
  return startCli(args, { env: appEnv(harness), ...more }).ended;
}

test("puts, gets and lists a file byte for byte", { timeout: 60_000 }, async ({ harness, sandbox }) => {
  sandbox.createBucket("files");
  const cwd = await folder();
  const content = Buffer.from([0, 255, 10, 13, 27, 128]);
  await writeFile(join(cwd, "cat.bin"), content);
  const up = ["put", "cat.bin", "s3://files/pets/", "--content-type", "image/x-cat", "--metadata", "by=ann", "--json"];
  const put = await cliProcess(harness, up, { cwd });
  expect(put).toMatchObject({ code: 0, stderr: "" });
  expect(jsonLines(put.stdout)).toMatchObject([{ bucket: "files", key: "pets/cat.bin", size: 6 }]);
  expect(sandbox.bytes("files", "pets/cat.bin")).toEqual(content);
  expect(sandbox.object("files", "pets/cat.bin")).toMatchObject({
    contentType: "image/x-cat",
    metadata: { by: "ann" },
  });
  await rm(join(cwd, "cat.bin"));
  const get = await cliProcess(harness, ["get", "s3://files/pets/cat.bin"], { cwd });
  expect(get).toEqual({ code: 0, stdout: "s3://files/pets/cat.bin -> cat.bin (6 bytes)\n", stderr: "" });
  expect(await readFile(join(cwd, "cat.bin"))).toEqual(content);
});

test(
  "reads standard input and writes standard output, and nothing beside",
  { timeout: 60_000 },
  async ({ harness, sandbox }) => {
    sandbox.createBucket("pipes");
    const put = await cliProcess(harness, ["put", "-", "s3://pipes/a.txt", "--if-none-match"], {
      stdin: "from a pipe",
    });
    expect(put.code).toBe(0);
    const again = await cliProcess(harness, ["put", "-", "s3://pipes/a.txt", "--if-none-match"], { stdin: "another" });
    expect(again).toMatchObject({ code: 1, stdout: "" });
    expect(again.stderr).toMatch(/^PreconditionFailed: /);
    expect(await cliProcess(harness, ["get", "s3://pipes/a.txt", "-"])).toEqual({
      code: 0,
      stdout: "from a pipe",
      stderr: "",
    });
    expect((await cli(harness, ["get", "s3://pipes/a.txt", "-", "--range", "5-5"])).stdout).toBe("a");
    const documents = await readdir(join(harness.folder, "documents"), { recursive: true, withFileTypes: true });
    expect(documents.filter((entry) => entry.isFile()).map(({ name }) => name)).toEqual([]);
  },
);

test("leaves no half file, and the one that was there, when a download fails", async ({ harness, sandbox }) => {
  sandbox.createBucket("gone");
  const cwd = await folder();
  await writeFile(join(cwd, "a.txt"), "what was there");
  const get = await cli(harness, ["get", "s3://gone/a.txt", "a.txt"], { cwd });
  expect(get).toMatchObject({ code: 1, stdout: "" });
  expect(get.stderr).toMatch(/^NoSuchKey: no object s3:\/\/gone\/a\.txt/);
  expect(await readdir(cwd)).toEqual(["a.txt"]);
  expect(await readFile(join(cwd, "a.txt"), "utf8")).toBe("what was there");
});

test(
  "lists buckets, one level, and all below, in the order of the store",
  { timeout: 60_000 },
  async ({ harness, sandbox }) => {
    sandbox.createBucket("listed");
    for (const key of ["a/1", "a/2/x", "a-file", "b", "z/y/x"]) sandbox.put("listed", key, key);
    expect((await cli(harness, ["ls"])).stdout).toMatch(/ {2}listed\n/);
    const level = await cli(harness, ["ls", "s3://listed", "--json"]);
    expect(jsonLines(level.stdout).map((one) => one["key"] ?? one["prefix"])).toEqual(["a-file", "a/", "b", "z/"]);
    const below = await cli(harness, ["ls", "s3://listed/a/"]);
    expect(below.stdout.split("\n").map((line) => line.trim().split(/ +/).at(-1))).toEqual(["1", "2/", ""]);
    const all = await cli(harness, ["ls", "s3://listed/", "--recursive", "--json"]);
    expect(jsonLines(all.stdout).map((one) => one["key"])).toEqual(["a-file", "a/1", "a/2/x", "b", "z/y/x"]);
  },
);

test("jumps over what lies below a level, however much that is", async ({ harness, sandbox }) => {
  sandbox.createBucket("deep");
  sandbox.generate("deep", { prefix: "below/", count: 50_000, size: 1 });
  sandbox.put("deep", "a", "x");
  sandbox.put("deep", "z", "x");
  const before = sandbox.counts.ListObjectsV2 ?? 0;
  const { stdout } = await cli(harness, ["ls", "s3://deep", "--json"]);
  expect(jsonLines(stdout).map((one) => one["key"] ?? one["prefix"])).toEqual(["a", "below/", "z"]);
  expect((sandbox.counts.ListObjectsV2 ?? 0) - before).toBe(2);
});

test("copies, moves and deletes one object", { timeout: 60_000 }, async ({ harness, sandbox }) => {
  sandbox.createBucket("one");
  sandbox.createBucket("two");
  sandbox.put("one", "dir/what?.txt", "content");
  const copy = await cli(harness, ["cp", "s3://one/dir/what?.txt", "s3://two/", "--literal"]);
  expect(copy).toMatchObject({
    code: 0,
    stdout: "s3://one/dir/what?.txt -> s3://two/what?.txt (7 bytes, verified by etag)\n",
  });
  const skipped = ["cp", "s3://one/dir/what?.txt", "s3://two/", "--literal", "--on-conflict", "skip"];
  expect((await cli(harness, skipped)).stdout).toMatch(/skipped/);
  const taken = ["mv", "s3://one/dir/what?.txt", "s3://two/", "--literal", "--on-conflict", "fail"];
  expect(await cli(harness, taken)).toMatchObject({ code: 1, stderr: expect.stringMatching(/^DestinationExists: /) });
  const move = await cli(harness, ["mv", "s3://one/dir/what?.txt", "s3://two/new.txt", "--literal", "--json"]);
  expect(jsonLines(move.stdout)).toMatchObject([{ success: true, guarantee: "conditional" }]);
  expect([sandbox.keys("one"), sandbox.keys("two")]).toEqual([[], ["new.txt", "what?.txt"]]);
  expect((await cli(harness, ["rm", "s3://two/new.txt"])).stdout).toBe("deleted s3://two/new.txt\n");
  expect(sandbox.keys("two")).toEqual(["what?.txt"]);
});

test(
  "shows a key that would command the terminal instead of obeying it",
  { timeout: 60_000 },
  async ({ harness, sandbox }) => {
    sandbox.createBucket("nasty");
    const key = "a\u001b]0;owned\u0007\u009b2J\nfake line";
    sandbox.put("nasty", key, "x");
    const results = [
      await cli(harness, ["ls", "s3://nasty"]),
      await cli(harness, ["ls", "s3://nasty", "--json"]),
      await cli(harness, ["cp", `s3://nasty/${key}`, `s3://nasty/b\u001b[0m`, "--literal"]),
      await cli(harness, ["get", `s3://nasty/none${key}`, "-"]),
    ];
    // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
    for (const { stdout, stderr } of results) expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u009b]/);
    expect(jsonLines(results[1]?.stdout ?? "")[0]?.["key"]).toBe(key);
    expect(results[0]?.stdout.trim().split("\n")).toHaveLength(1);
  },
);

test("ends with 2 and the reason for wrong usage", { timeout: 60_000 }, async () => {
  const wrong: [args: string[], reason: string][] = [
    [["get"], "missing required argument"],
    [["get", "b/k"], "expected s3://bucket/key"],
    [["get", "s3://b/k", "-", "--range", "9-3"], "expected 0-499, 500- or -500"],
    [["put", "-", "s3://b/dir/"], "standard input has no name"],
    [["cp", "s3://b/dir/", "s3://c/no-slash"], "expected a destination that ends with /"],
    [["rm", "s3://b"], "expected --yes"],
    [["mv", "s3://b/", "s3://c/"], "expected --yes"],
    [["mv", "s3://b/k", "s3://c/", "--on-conflict", "maybe"], "Allowed choices"],
    [["rm", "s3://whole/*"], "expected --yes"],
    [["rm", "s3://b/k", "--dry-run"], "--dry-run: expected a prefix"],
    [["mv", "s3://b/k", "s3://c/k", "--exclude", "*.txt"], "--exclude: expected a prefix"],
    [["cp", "s3://b/k", "s3://c/k", "--detach"], "--detach: expected a prefix"],
    [["rm", "s3://b/p/", "--if-match", "x"], "--if-match: expected one object"],
    [["rm", "s3://b/p/**", "--include", "*.tmp"], "--include: expected it with a prefix"],
    [["rm", "s3://b/p/", "--priority", "2001"], "from 1 to 2000"],
    [["rm", "s3://b/p/", "--report", "none"], "Allowed choices"],
    [["batch", "status"], "missing required argument"],
    [["fly"], "unknown command"],
    // What is repeated is shown and not obeyed.
    [["\u001b]0;x\u0007"], "unknown command '\\u001b]0;x\\u0007'"],
    [["ls", "--\u001b[2J"], "unknown option '--\\u001b[2J'"],
  ];
  for (const [args, reason] of wrong) {
    const { code, stdout, stderr } = await runCli(args);
    expect([args, code, stdout]).toEqual([args, 2, ""]);
    expect(stderr).toContain(reason);
  }
  expect(await startCli(["get"]).ended).toMatchObject({ code: 2, stdout: "" });
});

test("ends with 1 and says what may be wrong where Redis is not there", async () => {
  const { code, stderr } = await startCli(["ls"], { env: { REDIS_URL: "redis://127.0.0.1:1" } }).ended;
  expect(code).toBe(1);
  expect(stderr).toMatch(/^RedisUnavailable: /);
});

test("tells its version", async () => {
  const { version } = JSON.parse(await readFile(join(import.meta.dirname, "../../../package.json"), "utf8")) as {
    version: string;
  };
  expect(await startCli(["--version"]).ended).toMatchObject({ code: 0, stdout: `${version}\n` });
});

test("every command explains itself with numbered examples", { timeout: 60_000 }, async () => {
  const names = [
    "ls",
    "mb",
    "rb",
    "stat",
    "du",
    "presign",
    "schedules",
    "completion",
    "get",
    "put",
    "rm",
    "cp",
    "mv",
    "batch",
    "worker",
    "check",
    "conformance",
    "seal-keys",
    "sandbox",
  ];
  for (const name of names) {
    const { code, stdout } = await runCli([name, "--help"]);
    expect([name, code]).toEqual([name, 0]);
    expect(stdout).toMatch(/Examples:\n {2}1\. /);
  }
});

test(
  "says every header of an object on its way up and in a copy",
  { timeout: 60_000 },
  async ({ harness, sandbox }) => {
    sandbox.createBucket("headed", { objectLock: true });
    const said = ["--cache-control", "max-age=60", "--content-disposition", 'attachment; filename="ä.txt"'];
    const more = ["--content-encoding", "gzip", "--content-language", "de", "--expires", "0", "--encryption", "AES256"];
    const last = ["--website-redirect", "/b", "--lock-mode", "GOVERNANCE", "--lock-until", "2999-01-01T00:00:00Z"];
    const put = await cli(harness, ["put", "-", "s3://headed/a", ...said, ...more, ...last], { stdin: "content" });
    expect(put.stderr).toBe("");
    const stat = await cli(harness, ["stat", "s3://headed/a", "--json"]);
    expect(jsonLines(stat.stdout)).toMatchObject([
      {
        cacheControl: "max-age=60",
        contentDisposition: 'attachment; filename="ä.txt"',
        contentEncoding: "gzip",
        contentLanguage: "de",
        expires: "0",
        encryption: "AES256",
        websiteRedirect: "/b",
      },
    ]);
    const cp = await cli(harness, [
      "cp",
      "s3://headed/a",
      "s3://headed/b",
      "--cache-control",
      "no-store",
      "--acl",
      "bucket-owner-full-control",
    ]);
    expect(cp.stderr).toBe("");
    const copied = await cli(harness, ["stat", "s3://headed/b", "--json"]);
    expect(jsonLines(copied.stdout)).toMatchObject([{ cacheControl: "no-store", contentLanguage: "de", expires: "0" }]);
    expect(
      (await cli(harness, ["cp", "s3://headed/a", "s3://headed/c", "--lock-until", "2999-01-01T00:00:00Z"])).stderr,
    ).toMatch(/InvalidInput: copy-object: objectLock: expected mode and retainUntil together/);
  },
);
