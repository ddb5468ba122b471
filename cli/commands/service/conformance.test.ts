import { expect, onTestFinished, test, vi } from "vitest";
import { type Sandbox, type SandboxOptions, startSandbox } from "../../../sandbox/index.ts";
import { redisUrl } from "../../../test/fixtures.ts";
import { type RunningCli, runCli, startCli } from "../../command-harness.ts";
import type { Report } from "../../conformance/report.ts";

async function store(options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await startSandbox(options);
  onTestFinished(() => sandbox.close());
  return sandbox;
}

function start({ endpoint, credentials }: Sandbox, ...more: readonly string[]): RunningCli {
  return startCli(["conformance", "--endpoint", endpoint, "--region", "us-east-1", "--path-style", ...more], {
    env: {
      REDIS_URL: redisUrl(),
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
  });
}

async function reportOf(sandbox: Sandbox) {
  const { code, stdout } = await start(sandbox, "--json").ended;
  const report = JSON.parse(stdout) as Report; // what --json prints
  const verdict = (title: string) => report.capabilities.find((one) => one.title === title)?.verdict;
  return { code, report, verdict };
}

test("everything works on the sandbox, and nothing is left there", { timeout: 120_000 }, async () => {
  const sandbox = await store();
  sandbox.createBucket("theirs");
  const { code, report } = await reportOf(sandbox);
  expect([...report.activities, ...report.capabilities].filter(({ verdict }) => verdict !== "works")).toEqual([]);
  expect(report.activities).toHaveLength(15);
  expect([code, report.failed]).toEqual([0, 0]);
  expect(report.profile).toEqual({
    conditionalCopy: true,
    conditionalDelete: true,
    conditionalWrite: true,
    checksums: "when-supported",
  });
  expect(sandbox.buckets()).toEqual(["theirs"]);
});

test("activities work around what a store lacks, and are said to", { timeout: 120_000 }, async () => {
  const sandbox = await store({
    enforceConditions: { write: false, copySource: false, copy: false, delete: false, multiDelete: false },
    quirks: { unquotedCopyEtags: true, noChecksums: true },
  });
  const { code, report, verdict } = await reportOf(sandbox);
  expect(report.activities.filter((one) => one.verdict !== "works")).toEqual([]);
  for (const title of ["conditional copy (CopyObject)", "conditional delete (DeleteObjects)", "checksums kept"])
    expect([title, verdict(title)]).toEqual([title, "works around"]);
  expect(report.profile).toMatchObject({ conditionalCopy: false, conditionalDelete: false });
  expect([code, report.failed, sandbox.buckets()]).toEqual([0, 0, []]);
});

test("an activity that fails ends it with 1, and nothing is left", { timeout: 120_000 }, async () => {
  const sandbox = await store();
  sandbox.after("CopyObject", ({ bucket, key }) => {
    if (key === "copied") sandbox.put(bucket, key, "something else");
  });
  const { code, stdout } = await start(sandbox).ended;
  expect(code).toBe(1);
  expect(stdout).toMatch(/^copy-object +fails /m);
  expect(stdout).toMatch(/\n\d+ passed, [1-9]\d* failed\n$/);
  expect(sandbox.buckets()).toEqual([]);
});

test("Ctrl-C removes what was made and ends with 130", { timeout: 60_000 }, async () => {
  const sandbox = await store();
  const running = start(sandbox, "--verbose");
  await vi.waitFor(() => expect(running.output().stderr).toContain("works    put-object"), { timeout: 40_000 });
  running.process.kill("SIGINT");
  expect(await running.ended).toMatchObject({ code: 130, stdout: "" });
  expect(sandbox.buckets()).toEqual([]);
});

test("keys that are not accepted end it with 1 and the store's reason", { timeout: 60_000 }, async () => {
  const { endpoint } = await store();
  const args = ["conformance", "--endpoint", endpoint, "--access-key", "nobody", "--secret-key", "s"];
  const { code, stderr } = await runCli(args);
  expect([code, stderr]).toEqual([1, expect.stringContaining("InvalidAccessKeyId")]);
});

test("without keys, or with no URL for an endpoint, it ends with 2", async () => {
  expect(await runCli(["conformance"])).toMatchObject({ code: 2, stderr: expect.stringContaining("--access-key") });
  const args = ["conformance", "--endpoint", "localhost:9000", "--access-key", "k", "--secret-key", "s"];
  expect(await runCli(args)).toMatchObject({ code: 2, stderr: expect.stringContaining("an http or https URL") });
});
