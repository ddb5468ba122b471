import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";

type Counted = { readonly passed: number; readonly failed: number; readonly notes: readonly string[] };
type CountTests = (run: { report: string; code: number; ci: boolean }) => Counted;

const scripts = new URL("../scripts/", import.meta.url);
const plainJavaScript: { countTests: CountTests } = await import(new URL("count-tests.js", scripts).href);
const { countTests } = plainJavaScript;

function counted(json: object | undefined, { code = 0, ci = false } = {}): Counted {
  const folder = mkdtempSync(join(tmpdir(), "bucketline-report-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const report = join(folder, "vitest.json");
  if (json) writeFileSync(report, JSON.stringify(json));
  return countTests({ report, code, ci });
}

const passing = { numPassedTests: 3, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [] };

describe("the total of npm test", () => {
  test("is what vitest reports, where all is well", () => {
    expect(counted(passing)).toMatchObject({ passed: 3, failed: 0 });
  });

  test("counts a file that could not be loaded, of which vitest counts no test", () => {
    const broken = { name: "a.test.ts", status: "failed", assertionResults: [] };
    expect(counted({ ...passing, testResults: [broken] }, { code: 1 })).toMatchObject({ passed: 3, failed: 1 });
  });

  test("counts a failed test once, not again for its file", () => {
    const file = { name: "a.test.ts", status: "failed", assertionResults: [{ status: "failed" }] };
    expect(counted({ ...passing, numFailedTests: 1, testResults: [file] }, { code: 1 })).toMatchObject({ failed: 1 });
  });

  test("counts an error outside every test, which shows in the exit code alone", () => {
    expect(counted(passing, { code: 1 })).toMatchObject({ passed: 3, failed: 1 });
  });

  test("counts a skipped test as failed in CI, and nowhere else", () => {
    const skipping = { ...passing, numPendingTests: 2 };
    expect(counted(skipping, { ci: true })).toMatchObject({ passed: 3, failed: 2 });
    expect(counted(skipping)).toMatchObject({ passed: 3, failed: 0, notes: ["tests: 2 skipped"] });
  });

  test("is a failure where not one test ran, or no report was left", () => {
    expect(counted({ ...passing, numPassedTests: 0 })).toMatchObject({ passed: 0, failed: 1 });
    expect(counted(undefined, { code: 1 })).toMatchObject({ passed: 0, failed: 1 });
  });
});

/** Runs it where no program can be found. */
function setUp(env: NodeJS.ProcessEnv, ...args: string[]) {
  const script = new URL("setup.js", scripts).pathname;
  return spawnSync(process.execPath, [script, ...args], { env: { PATH: "/nowhere", ...env }, encoding: "utf8" });
}

describe("setup", () => {
  test("names every way to Redis where there is none and none can be installed", () => {
    const { status, stderr } = setUp({});
    expect(status).toBe(1);
    for (const way of ["REDIS_URL", "redis-server", "valkey-server", "apt-get", "brew", "Docker"]) {
      expect(stderr).toContain(way);
    }
  });

  test("is content with the Redis that REDIS_URL names", () => {
    expect(setUp({ REDIS_URL: "redis://127.0.0.1:6379" })).toMatchObject({ status: 0, stderr: "", stdout: "" });
  });

  // Debian has its Chromium where the browser tests find it without a PATH; Python is looked up on the PATH, where nothing is here.
  test("fails in CI where a program that tests need is missing and cannot be installed, and says so elsewhere", () => {
    const redis = { REDIS_URL: "redis://127.0.0.1:6379" };
    const inCi = setUp({ ...redis, CI: "true" }, "tests");
    expect(inCi.status).toBe(1);
    expect(inCi.stderr).toMatch(/python3 .*PATH[^]*no test may be skipped/);
    const atHome = setUp(redis, "tests");
    expect(atHome.status).toBe(0);
    expect(atHome.stdout).toMatch(/python3 .*PATH[^]*counted as skipped/);
  });
});

describe("advisories", () => {
  type ReadAudit = (output: string) => { readonly code: number; readonly text: string };
  const audit = async (output: object | string) => {
    const script: { readAudit: ReadAudit } = await import(new URL("advisories.js", scripts).href);
    return script.readAudit(typeof output === "string" ? output : JSON.stringify(output));
  };

  test.each([
    [{ message: "405 Method Not Allowed - POST https://mirror.example/x", error: { summary: "", detail: "" } }, "405"],
    [{ error: { code: "ENOAUDIT", summary: "no such endpoint" } }, "no such endpoint"],
    ["<html>", "no report"],
  ])("are not known where the registry does not tell, in one line: %j", async (output, why) => {
    const { code, text } = await audit(output);
    expect([code, text.split("\n").length]).toEqual([2, 1]);
    expect(text).toContain("Not known");
    expect(text).toContain(why);
  });

  test("that are known are named", async () => {
    const metadata = { vulnerabilities: { total: 0 }, dependencies: { prod: 7 } };
    expect(await audit({ vulnerabilities: {}, metadata })).toEqual({
      code: 0,
      text: "No known advisories (7 packages).",
    });
    const via = [{ title: "it is bad", url: "https://advisory.example/1" }];
    const vulnerabilities = { a: { name: "a", severity: "high", range: "<2", via } };
    const found = await audit({ vulnerabilities, metadata: { vulnerabilities: { total: 1 } } });
    expect(found.code).toBe(1);
    expect(found.text).toContain("high a <2: it is bad https://advisory.example/1");
  });
});
