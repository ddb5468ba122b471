import { expect, vi } from "vitest";
import { type Harness, test } from "../../test/harness.ts";
import { appEnv, type Ended, jsonLines, runCli, startCli } from "../command-harness.ts";

const cli = (harness: Harness, ...args: readonly string[]): Promise<Ended> => runCli(args, { env: appEnv(harness) });

test(
  "a prefix and a pattern make batches, with plain lines where nobody looks",
  { timeout: 60_000 },
  async ({ harness, sandbox }) => {
    sandbox.createBucket("from");
    sandbox.createBucket("to");
    for (const key of ["logs/a.gz", "logs/b/c.gz", "logs/d.txt", "other"]) sandbox.put("from", key, key);
    const copied = await cli(harness, "cp", "s3://from/logs/", "s3://to/copy/");
    expect(copied.code).toBe(0);
    expect(copied.stdout).toMatch(/^completed: copy of 3 objects \(\d+ bytes\) in \d+ s/m);
    expect(copied.stdout).not.toContain("\r");
    expect(sandbox.keys("to")).toEqual(["copy/a.gz", "copy/b/c.gz", "copy/d.txt"]);
    const moved = await cli(harness, "mv", "s3://from/logs/**/*.gz", "s3://to/gz/", "--json");
    expect(jsonLines(moved.stdout).at(-1)).toMatchObject({ state: "completed", succeeded: 2, failed: 0 });
    expect(sandbox.keys("from")).toEqual(["logs/d.txt", "other"]);
    const removed = await cli(harness, "rm", "s3://to/copy/", "--exclude", "b/**", "--detach");
    const id = removed.stdout.trim();
    expect(await cli(harness, "batch", "watch", id)).toMatchObject({ code: 0 });
    expect(sandbox.keys("to")).toEqual(["copy/b/c.gz", "gz/a.gz", "gz/b/c.gz"]);
    const list = await cli(harness, "batch", "list", "--json", "--limit", "1");
    expect(jsonLines(list.stdout)).toMatchObject([{ id, state: "completed", filtered: 1 }]);
  },
);

test(
  "a dry run tells what would happen, and what it planned can be started",
  { timeout: 60_000 },
  async ({ harness, sandbox }) => {
    sandbox.createBucket("plan");
    for (const key of ["a/1", "a/2"]) sandbox.put("plan", key, "x");
    const planned = await cli(harness, "rm", "s3://plan/a/", "--dry-run");
    expect(planned).toMatchObject({ code: 0, stdout: expect.stringMatching(/^would delete 2 objects \(2 bytes\)/m) });
    expect(sandbox.keys("plan")).toEqual(["a/1", "a/2"]);
    const id = /batch confirm (\w+)/.exec(planned.stdout)?.[1] ?? "";
    expect((await cli(harness, "batch", "confirm", id)).stdout).toMatch(/^completed: delete of 2 objects/m);
    expect(sandbox.keys("plan")).toEqual([]);
  },
);

test(
  "objects that fail end it with 1, are named in the report, and can be tried again",
  { timeout: 60_000 },
  async ({ harness, sandbox }) => {
    sandbox.createBucket("fails");
    for (const key of ["in/1", "in/2", "in/3"]) sandbox.put("fails", key, key);
    sandbox.fault({ operation: "CopyObject", key: "out/2", kind: "status", status: 403, code: "AccessDenied" });
    const copied = await cli(harness, "cp", "s3://fails/in/", "s3://fails/out/");
    expect(copied).toMatchObject({ code: 1, stdout: expect.stringMatching(/^ {2}1 failed with AccessDenied$/m) });
    const id = /batch retry (\w+)/.exec(copied.stdout)?.[1] ?? "";
    const report = await cli(harness, "batch", "report", id, "--only", "failed");
    expect(jsonLines(report.stdout)).toMatchObject([{ key: "in/2", status: "failed", code: "AccessDenied" }]);
    expect((await cli(harness, "batch", "report", id, "--csv")).stdout.trim().split(/\r?\n/)).toHaveLength(4);
    sandbox.clearFaults();
    expect(await cli(harness, "batch", "retry", id)).toMatchObject({ code: 0 });
    expect(sandbox.keys("fails").filter((key) => key.startsWith("out/"))).toEqual(["out/1", "out/2", "out/3"]);
  },
);

test("Ctrl-C leaves a batch running and says how to go on", { timeout: 60_000 }, async ({ harness, sandbox }) => {
  sandbox.createBucket("slow");
  for (let index = 0; index < 200; index += 1) sandbox.put("slow", `in/${index}`, "x");
  const running = startCli(["cp", "s3://slow/in/", "s3://slow/out/", "--max-rate", "5"], { env: appEnv(harness) });
  const id = await vi.waitFor(
    () => {
      expect(sandbox.keys("slow").length).toBeGreaterThan(200);
      return /batch (\w+)/.exec(running.output().stderr)?.[1] ?? "";
    },
    { timeout: 20_000 },
  );
  running.process.kill("SIGINT");
  const { code, stderr } = await running.ended;
  expect(code).toBe(130);
  expect(stderr).toContain(`bucketline batch watch ${id}`);
  expect(stderr).toContain(`bucketline batch cancel ${id}`);
  expect(jsonLines((await cli(harness, "batch", "status", id, "--json")).stdout)).toMatchObject([{ state: "running" }]);
  expect((await cli(harness, "batch", "pause", id)).stdout).toMatch(/ is paus/);
  expect((await cli(harness, "batch", "resume", id)).stdout).toMatch(/ is running/);
  expect((await cli(harness, "batch", "cancel", id)).stdout).toMatch(/ is cancel/);
  expect(await cli(harness, "batch", "watch", id)).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^cancelled/m),
  });
});

test("a batch that is not there ends with 1 and says so", async ({ harness }) => {
  const { code, stderr } = await cli(harness, "batch", "status", "b12345678");
  expect([code, stderr]).toEqual([1, expect.stringMatching(/^BatchNotFound: /)]);
});

test.for(["list", "status", "watch", "pause", "resume", "cancel", "confirm", "report", "retry"])(
  "batch %s explains itself with numbered examples",
  async (name) => {
    const { code, stdout } = await runCli(["batch", name, "--help"]);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/Examples:\n {2}1\. bucketline batch /)]);
  },
);
