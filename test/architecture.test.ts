import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { VERB_NAMES } from "../batches/operations.ts";
import { contracts } from "../jobs/contracts.ts";
import { handlers } from "../jobs/handlers.ts";
import { fileProblems, folderProblems, medianProblem, staleExceptions } from "./architecture/file-rules.ts";
import { importCycles, importProblems, loadedBy } from "./architecture/import-rules.ts";
import { mutants } from "./mutants/all.ts";
import { verbProblems, verbProblemsOf } from "./architecture/verb-rules.ts";
import { readSource, readSources, sourcePaths } from "./architecture/read-source.ts";

const root = join(import.meta.dirname, "..");
const sources = readSources(root);

describe("the project", () => {
  test("keeps to the rooms that each file may import from", () => {
    expect(importProblems(sources)).toEqual([]);
  });

  test("has no files that load each other in a ring", () => {
    expect(importCycles(sources)).toEqual([]);
  });

  test("has files of one idea each, under names that say it, with nothing switched off in silence", () => {
    expect(fileProblems(sources)).toEqual([]);
    expect(staleExceptions(sources), "exceptions that nothing needs").toEqual([]);
    expect(medianProblem(sources)).toBeUndefined();
  });

  test("has folders that a reader takes in at a glance, and names that do not say them again", () => {
    expect(folderProblems(sourcePaths(root))).toEqual([]);
  });

  test("names no verb of batches outside of batches/operations", () => {
    const pages = readdirSync(join(root, "dashboard/pages/assets"), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".js"))
      .map((file) => `dashboard/pages/assets/${file}`);
    expect(verbProblems(root, [...sources.map(({ path }) => path), ...pages], VERB_NAMES)).toEqual([]);
  });

  test("has each safety rule where the list of mutants looks for it, so that none guards nothing unnoticed", () => {
    const times = ({ file, find }: (typeof mutants)[number]) =>
      readFileSync(join(root, file), "utf8").split(find).length - 1;
    expect(mutants.filter((one) => times(one) !== 1).map(({ rule, file }) => `${file}: ${rule}`)).toEqual([]);
  });

  test("lets producers in with the contracts and zod alone", () => {
    const { files, packages } = loadedBy("jobs/contracts.ts", sources);
    expect([...packages]).toEqual(["zod"]);
    expect([...files].filter((path) => !/^(jobs|model)\//.test(path) || /handler/.test(path))).toEqual([]);
  });
});

describe("every activity", () => {
  const folders = readdirSync(join(root, "jobs"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== "failures") // what is kept of jobs that failed
    .map(({ name }) => name)
    .toSorted();

  test("is a folder, a line in contracts.ts and a line in handlers.ts, all of the same name", () => {
    expect(Object.keys(contracts).toSorted()).toEqual(folders);
    expect(Object.keys(handlers).toSorted()).toEqual(folders);
    for (const [name, contract] of Object.entries(contracts)) expect(contract.name).toBe(name);
    for (const [name, handler] of Object.entries(handlers)) expect(handler.contract.name).toBe(name);
  });

  test.each(folders)("%s has a contract, a handler and the handler's test", (folder) => {
    const missing = ["contract.ts", "handler.ts", "handler.test.ts"].filter(
      (file) => !existsSync(join(root, "jobs", folder, file)),
    );
    expect(missing).toEqual([]);
  });
});

/** What Node really loads, packages included, when it imports the file: paths within the project. */
function reallyLoaded(path: string): string[] {
  const script = `
    import { registerHooks } from "node:module";
    registerHooks({ load: (url, context, next) => (console.log(url), next(url, context)) });
    await import(${JSON.stringify(join(root, path))});
    process.exit(0);`;
  const output = execFileSync(process.execPath, ["--input-type=module", "--eval", script], { encoding: "utf8" });
  const here = pathToFileURL(`${root}/`).href;
  return output
    .split("\n")
    .filter((url) => url.startsWith("file:"))
    .map((url) => (url.startsWith(here) ? url.slice(here.length) : url));
}

describe("what Node loads", () => {
  test("with the producer: BullMQ, but no AWS SDK and no worker", () => {
    const urls = reallyLoaded("producer/index.ts");
    expect(urls.some((url) => url.includes("node_modules/bullmq/"))).toBe(true);
    expect(urls.filter((url) => /node_modules\/@(aws-sdk|smithy)\/|^(worker|sandbox)\//.test(url))).toEqual([]);
  });

  test("with the contracts: zod and nothing else", () => {
    const packages = reallyLoaded("jobs/contracts.ts").filter((url) => url.includes("node_modules/"));
    expect(packages.length).toBeGreaterThan(0);
    expect(packages.filter((url) => !url.includes("node_modules/zod/"))).toEqual([]);
  });
});

describe("a rule turns red when it is broken:", () => {
  const importing = (path: string, text: string) => importProblems([readSource(path, text)]);

  test.each([
    ["producer/ask.ts", 'import { S3Client } from "@aws-sdk/client-s3";'],
    ["producer/ask.ts", 'const sdk = await import("@aws-sdk/client-s3");'],
    ["producer/ask.ts", 'import { run } from "../worker/attempt/run-job.ts";'],
    ["producer/ask.ts", 'import { runChunk } from "../batches/chunk-processor.ts";'],
    ["producer/ask.ts", 'import { handlers } from "../jobs/handlers.ts";'],
    ["jobs/list-objects/contract.ts", 'import { Queue } from "bullmq";'],
    ["jobs/list-objects/handler.ts", 'import { head } from "../../s3/head.ts";'],
    // Not erased as a whole: Node would load the file.
    ["jobs/list-objects/handler.ts", 'import { type S3 } from "../../s3/s3.ts";'],
    ["worker/attempt/run-job.ts", 'export { createProducer } from "../../producer/index.ts";'],
    ["worker/attempt/run-job.ts", 'import { startSandbox } from "../../sandbox/index.ts";'],
    ["worker/create.ts", 'export * from "@aws-sdk/client-s3";'],
    ["documents/file/store.ts", 'import { S3Client } from "@aws-sdk/client-s3";'],
    ["documents/s3/store.ts", 'import { S3Client } from "@aws-sdk/client-s3";'],
    ["sandbox/s3-server.ts", 'import type { S3Object } from "../model/entities.ts";'],
    ["cli/list.ts", 'import { head } from "../s3/requests/head.ts";'],
    ["dashboard/server.ts", "const room = await import(process.argv[2]);"],
    ["elsewhere/file.ts", ""],
  ])("%s may not say %s", (path, text) => {
    expect(importing(path, text)).toHaveLength(1);
  });

  test.each([
    ["jobs/list-objects/handler.ts", 'import type { S3 } from "../../s3/s3.ts";'],
    ["s3/requests/head.ts", 'import { S3Client } from "@aws-sdk/client-s3";'],
    ["worker/attempt/run-job.test.ts", 'import { startSandbox } from "../../sandbox/index.ts";'],
    ["producer/ask.ts", 'import { Queue } from "bullmq"; import { readFile } from "node:fs/promises";'],
  ])("%s may say %s", (path, text) => {
    expect(importing(path, text)).toEqual([]);
  });

  test.each([
    'export const f = (spec: Spec) => spec.operation === "move";',
    'export const f = (operation: string) => (operation !== "delete" ? 1 : 2);',
    'export function f(spec: Spec) { switch (spec.operation) { case "copy": return 1; } }',
    'export const OPERATIONS = [["copy", "Copy"], ["move", "Move"], ["delete", "Delete"]];',
    "export const f = { copy: 1, move: 2, delete: 3 };",
  ])("a file outside of batches/operations may not say %s", (text) => {
    expect(verbProblemsOf("batches/run/a.ts", text, VERB_NAMES)).toHaveLength(1);
  });

  test.each([
    ["worker/utils.ts", ""],
    ["worker/string-helpers.ts", ""],
    ["jobs/types.ts", ""],
    ["jobs/runJob.ts", ""],
    ["worker/loose.ts", "export const x: any = 1;"],
    ["worker/config/parse.ts", 'export const url = process.env["REDIS_URL"];'],
    ["worker/a.test.ts", 'test.only("x", () => {});'],
    ["worker/a.test.ts", 'test.skip("x", () => {});'],
    ["worker/a.test.ts", 'describe.skipIf(true)("x", () => {});'],
    ["worker/a.ts", "// @ts-expect-error\nexport const x: string = 1;"],
    ["worker/a.ts", "// oxlint-disable-next-line no-console\nconsole.log(1);"],
  ])("%s with %j is refused", (path, text) => {
    expect(fileProblems([readSource(path, text)])).toHaveLength(1);
  });

  test("more than 300 lines are refused", () => {
    expect(fileProblems([readSource("worker/long.ts", "\n".repeat(301))])).toHaveLength(1);
  });

  test("a function of more than 60 lines is refused, wherever it stands, but not what describe is given", () => {
    const body = `{${"\n".repeat(60)}}`;
    const problems = (text: string) => fileProblems([readSource("worker/long.test.ts", text)]);
    expect(problems(`function long() ${body}`)).toHaveLength(1);
    expect(problems(`const a = { long() ${body} };`)).toHaveLength(1);
    expect(problems(`test("x", () => ${body});`)).toHaveLength(1);
    expect(problems(`describe("x", () => ${body});`)).toEqual([]);
    expect(problems(`describe.each([1])("x", () => ${body});`)).toEqual([]);
  });

  test("21 files side by side are refused, tests not counted", () => {
    const files = Array.from({ length: 21 }, (_, at) => `worker/file-${at}.ts`);
    expect(folderProblems(files)).toHaveLength(1);
    expect(folderProblems(files.with(0, "worker/file.test.ts"))).toEqual([]);
  });

  test.each(["worker/create-worker.ts", "s3/parts/send-part.ts", "s3/s3.ts", "batches/batch.lua"])(
    "%s says its folder's name again",
    (path) => {
      expect(folderProblems([path])).toHaveLength(1);
    },
  );

  test("two files that load each other are a ring, and so are two that name each other's types", () => {
    const ring = (word: string) => [
      readSource("jobs/a.ts", `${word} { b } from "./b.ts";`),
      readSource("jobs/b.ts", `${word} { a } from "./a.ts";`),
    ];
    expect(importCycles(ring("import"))).toEqual(["jobs/a.ts -> jobs/b.ts -> jobs/a.ts"]);
    expect(importCycles(ring("import type"))).toHaveLength(1);
  });
});
