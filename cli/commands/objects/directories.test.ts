import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { type Harness, test } from "../../../test/harness.ts";
import { appEnv, type Ended, jsonLines, runCli } from "../../command-harness.ts";

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), "bucketline-cli-"));
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  return made;
}

const cli = (harness: Harness, args: readonly string[], cwd?: string, stdin?: string): Promise<Ended> =>
  runCli(args, { env: appEnv(harness), ...(cwd !== undefined && { cwd }), ...(stdin !== undefined && { stdin }) });

test("uploads a directory with the content types of its files, and downloads it as it was", async ({
  harness,
  sandbox,
}) => {
  sandbox.createBucket("site");
  const cwd = await folder();
  await mkdir(join(cwd, "in/css/deep"), { recursive: true });
  await writeFile(join(cwd, "in/index.html"), "<p>");
  await writeFile(join(cwd, "in/css/deep/a b.css"), "p {}");
  await writeFile(join(cwd, "in/no-ending"), "");
  await symlink(cwd, join(cwd, "in/ring"));
  const up = await cli(harness, ["put", "-r", "in", "s3://site/www"], cwd);
  expect(up).toMatchObject({ code: 0, stderr: "" });
  expect(sandbox.keys("site")).toEqual(["www/css/deep/a b.css", "www/index.html", "www/no-ending"]);
  expect(sandbox.object("site", "www/index.html")?.contentType).toBe("text/html");
  expect(sandbox.object("site", "www/css/deep/a b.css")?.contentType).toBe("text/css");
  const down = await cli(harness, ["get", "-r", "s3://site/www/", "out"], cwd);
  expect(down).toMatchObject({ code: 0, stderr: "" });
  expect(await readFile(join(cwd, "out/css/deep/a b.css"), "utf8")).toBe("p {}");
  expect((await readdir(join(cwd, "out"), { recursive: true })).toSorted()).toEqual([
    "css",
    "css/deep",
    "css/deep/a b.css",
    "index.html",
    "no-ending",
  ]);
});

test("writes no file outside the directory, whatever the keys say, and names those that it refused", async ({
  harness,
  sandbox,
}) => {
  sandbox.createBucket("hostile");
  for (const key of ["p/fine", "p//empty", "p/a\\b", "p/folder/"]) sandbox.put("hostile", key, "x");
  const cwd = await folder();
  const { code, stderr } = await cli(harness, ["get", "-r", "s3://hostile/p/", "out"], cwd);
  expect(code).toBe(1);
  expect(stderr).toMatch(/p\/\/empty: expected a key that a file can be named after/);
  expect(stderr).toMatch(/2 objects were not downloaded/);
  expect((await readdir(join(cwd, "out"), { recursive: true })).toSorted()).toEqual(["fine", "folder"]);
});

test("follows no link out of the directory, writes over links and not over what they lead to, and stays within it by others", async ({
  harness,
  sandbox,
}) => {
  sandbox.createBucket("linked");
  for (const key of ["way-out/victim", "way-out/new/deep", "way-out/new/", "about/victim", "file"])
    sandbox.put("linked", key, "theirs");
  const cwd = await folder();
  const outside = await folder();
  await writeFile(join(outside, "victim"), "mine");
  await mkdir(join(cwd, "out/within"), { recursive: true });
  await symlink(outside, join(cwd, "out/way-out"));
  await symlink("within", join(cwd, "out/about"));
  await symlink(join(outside, "victim"), join(cwd, "out/file"));
  await symlink("out", join(cwd, "link"));
  // The directory itself may be a link.
  const { code, stderr } = await cli(harness, ["get", "-r", "s3://linked/", "link"], cwd);
  expect(code).toBe(1);
  expect(stderr).toMatch(/way-out\/victim: expected a path that stays in link; link\/way-out is a link that leads to/);
  expect(stderr).toMatch(/3 objects were not downloaded/);
  expect(await readdir(outside, { recursive: true })).toEqual(["victim"]);
  expect(await readFile(join(outside, "victim"), "utf8")).toBe("mine");
  expect(await readFile(join(cwd, "out/file"), "utf8")).toBe("theirs");
  expect(await readFile(join(cwd, "out/within/victim"), "utf8")).toBe("theirs");
});

test("makes, looks at, measures and deletes a bucket", async ({ harness, sandbox }) => {
  expect(await cli(harness, ["mb", "s3://cli-made"])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^made s3:\/\/cli-made/),
  });
  sandbox.put("cli-made", "a/1", "12345");
  sandbox.put("cli-made", "a/2", "123");
  expect((await cli(harness, ["stat", "s3://cli-made/a/1"])).stdout).toMatch(/size +5\n/);
  expect(jsonLines((await cli(harness, ["stat", "s3://cli-made", "--json"])).stdout)).toMatchObject([
    { name: "cli-made" },
  ]);
  expect(jsonLines((await cli(harness, ["du", "s3://cli-made/a/", "--json"])).stdout)).toMatchObject([
    { objects: 2, bytes: 8 },
  ]);
  const url = (await cli(harness, ["presign", "s3://cli-made/a/1", "--expires-in", "60"])).stdout.trim();
  expect(await (await fetch(url)).text()).toBe("12345");
  const refused = await cli(harness, ["rb", "s3://cli-made", "--json"]);
  expect(refused.code).toBe(1);
  expect(jsonLines(refused.stderr)).toMatchObject([{ error: { code: "BucketNotEmpty", retryable: false } }]);
  await cli(harness, ["rm", "s3://cli-made/a/", "-q"]);
  expect(await cli(harness, ["rb", "s3://cli-made", "--quiet"])).toEqual({ code: 0, stdout: "", stderr: "" });
});

test("prints the first lines of a long list long before its end, and stops where it was told", async ({
  harness,
  sandbox,
}) => {
  sandbox.createBucket("long");
  sandbox.generate("long", { prefix: "k/", count: 20_000, size: 1 });
  const before = sandbox.counts.ListObjectsV2 ?? 0;
  const { stdout } = await cli(harness, ["ls", "-r", "s3://long", "--limit", "1500", "--json"]);
  expect(jsonLines(stdout)).toHaveLength(1500);
  expect((sandbox.counts.ListObjectsV2 ?? 0) - before).toBeLessThan(5);
  const all = jsonLines((await cli(harness, ["ls", "-r", "s3://long", "--json"])).stdout);
  expect(new Set(all.map(({ key }) => key)).size).toBe(20_000);
});

test("lists one level over many pages, jumps over what is below, and shows each line once", async ({
  harness,
  sandbox,
}) => {
  sandbox.createBucket("levels");
  for (const prefix of ["a/", "b", "c/"]) sandbox.generate("levels", { prefix, count: 2500, size: 1 });
  const before = sandbox.counts.ListObjectsV2 ?? 0;
  const lines = jsonLines((await cli(harness, ["ls", "s3://levels", "--json"])).stdout);
  expect((sandbox.counts.ListObjectsV2 ?? 0) - before).toBeLessThan(7);
  expect(lines).toHaveLength(2502);
  expect(lines.filter(({ prefix }) => prefix !== undefined).map(({ prefix }) => prefix)).toEqual(["a/", "c/"]);
  expect(new Set(lines.map(({ key }) => key)).size).toBe(2501);
  const some = jsonLines((await cli(harness, ["ls", "s3://levels", "--json", "--limit", "1200"])).stdout);
  expect(some).toEqual(lines.slice(0, 1200));
});

test("starts a batch over the lines of a manifest, and sets its priority", async ({ harness, sandbox }) => {
  sandbox.createBucket("lines");
  for (const key of ["a", "b", "c"]) sandbox.put("lines", key, key);
  const started = await cli(
    harness,
    ["batch", "start", "copy", "-", "--format", "ndjson", "--bucket", "lines", "--to", "s3://lines/copies/", "--json"],
    undefined,
    '{"key":"a"}\n{"key":"c"}\n',
  );
  expect(started.code).toBe(0);
  expect(sandbox.keys("lines")).toEqual(["a", "b", "c", "copies/a", "copies/c"]);
  const detached = await cli(harness, ["cp", "s3://lines/copies/", "s3://lines/more/", "--detach"]);
  expect((await cli(harness, ["batch", "priority", detached.stdout.trim(), "1"])).stdout).toMatch(/has priority 1/);
});

test("lists and removes schedules of jobs and batches", async ({ harness }) => {
  const { producer } = harness;
  await producer.schedule("cli-job", { every: "5m" }, "list-buckets", {});
  await producer.batches.schedule(
    "cli-batch",
    { every: "1h" },
    { operation: "delete", source: { bucket: "tmp", prefix: "x/" } },
  );
  const { stdout } = await cli(harness, ["schedules", "list", "--json"]);
  expect(jsonLines(stdout)).toMatchObject([
    { id: "cli-job", of: "list-buckets", every: 300_000 },
    { id: "cli-batch", of: "batch delete", every: 3_600_000 },
  ]);
  for (const id of ["cli-job", "cli-batch"]) expect((await cli(harness, ["schedules", "remove", id])).code).toBe(0);
  expect(await cli(harness, ["schedules", "remove", "cli-job"])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("no schedule"),
  });
});

test("wrong settings of the environment are named together, by their variables", async () => {
  const env = { REDIS_URL: "localhost:6379", BUCKETLINE_PREFIX: "a b", DOCUMENTS_URL: "/documents" };
  const { code, stderr } = await runCli(["ls"], { env });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^InvalidConfiguration: the environment has 3 problems:/);
  for (const name of Object.keys(env)) expect(stderr).toContain(`${name}: expected`);
});

test("points to what was probably meant", async () => {
  const wrong: [args: string[], told: string][] = [
    [["cp", "./a.txt", "s3://bkt/k"], "bucketline put <file> s3://bucket/key"],
    [["cp", "s3://bkt/k", "./a.txt"], "bucketline get s3://bucket/key <file>"],
    [["mb", "s3://bkt/key"], "without a key"],
    [["get", "s3://bkt/"], "--recursive"],
    [["mv", "s3://bkt/k", "s3://bkt/k"], "is source and destination"],
    [["cp", "s3://bkt/k", "s3://bkt/"], "or something to change"],
    [["ls", "--recursiv"], "Did you mean --recursive?"],
  ];
  for (const [args, told] of wrong)
    expect(await runCli(args)).toMatchObject({ code: 2, stderr: expect.stringContaining(told) });
  const { stderr } = await runCli(["rm", "s3://bkt", "--json"]);
  expect(jsonLines(stderr)).toMatchObject([
    { error: { code: "InvalidInput", message: expect.stringContaining("--yes") } },
  ]);
});

test("where nothing matches, that is an error that names the pattern", async ({ harness, sandbox }) => {
  sandbox.createBucket("sparse");
  sandbox.put("sparse", "a.txt", "x");
  const nothing: [args: string[], told: string][] = [
    [["rm", "s3://sparse/*.pdf"], "s3://sparse/*.pdf; 1 under s3://sparse/ did not"],
    [["rm", "s3://sparse/none/"], "s3://sparse/none/"],
    [["ls", "s3://sparse/none"], "s3://sparse/none"],
    [["get", "-r", "s3://sparse/none", "out"], "s3://sparse/none/"],
  ];
  for (const [args, told] of nothing) {
    const { code, stderr } = await cli(harness, args);
    expect([args, code]).toEqual([args, 1]);
    expect(stderr).toContain("NoSuchKey: no object");
    expect(stderr).toContain(told);
  }
  sandbox.createBucket("quite-empty");
  expect(await cli(harness, ["ls", "s3://quite-empty"])).toEqual({ code: 0, stdout: "", stderr: "" });
});

test("a file that is not there, and a directory where a file was meant, are told by their names", async ({
  harness,
}) => {
  const cwd = await folder();
  expect((await cli(harness, ["put", "none.txt", "s3://bkt/"], cwd)).stderr).toBe(
    "none.txt: no such file or directory\n",
  );
  expect((await cli(harness, ["put", cwd, "s3://bkt/k"])).stderr).toContain("--recursive");
});

test("takes --recursive as other tools do, and makes the directories of a file", async ({ harness, sandbox }) => {
  sandbox.createBucket("tree");
  sandbox.put("tree", "a/b/c", "x");
  expect(await cli(harness, ["cp", "-r", "s3://tree/a", "s3://tree/z", "--quiet"])).toEqual({
    code: 0,
    stdout: "",
    stderr: "",
  });
  expect(sandbox.keys("tree")).toEqual(["a/b/c", "z/b/c"]);
  const cwd = await folder();
  expect(await cli(harness, ["get", "s3://tree/a/b/c", "new/folder/c.txt"], cwd)).toMatchObject({ code: 0 });
  expect(await readFile(join(cwd, "new/folder/c.txt"), "utf8")).toBe("x");
});
