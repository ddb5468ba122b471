/**
 * `npm run apps`: packs bucketline and @bucketline/client, installs them in empty folders, and copies there what README and docs show: a first job as an ES
 * module and in CommonJS, a NestJS app of the main package and of the thin client; apps of both and a worker are bundled into one file by esbuild and by webpack, and the thin client keeps a document in S3. Each job must be done within a minute of the install. `-- --typescript`
 * compiles an app with every TypeScript since 5.6 and writes the table of docs/typescript.md; `-- --node PATH` runs the apps on another Node.
 * Prints `N passed, N failed`; needs the registry that npm is set up for.
 */
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { command } from "../clients/command.ts";
import { bundledApps, bundledWorker } from "./bundles.ts";
import { clientDocuments } from "./client-documents.ts";
import { nestApp } from "./nest.ts";
import { firstJobs } from "./first-jobs.ts";
import { oldNodes } from "./old-nodes.ts";
import { typescriptTable } from "./typescript.ts";

const { values } = parseArgs({
  options: { typescript: { type: "boolean", default: false }, node: { type: "string" } },
});
/** A busy registry or machine is not what is looked at. */
const INSTALL_MS = 600_000;
const root = join(import.meta.dirname, "../..");
await using cleanup = new AsyncDisposableStack();
const folder = await mkdtemp(join(tmpdir(), "bucketline-apps-"));
cleanup.defer(() => rm(folder, { recursive: true, force: true }));
await command("npm", ["run", "--silent", "build"], { cwd: root });
await command("npm", ["run", "--silent", "client:build"], { cwd: root });
for (const from of [root, join(root, "client/out")])
  await command("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder], { cwd: from });
const tarballs = (await readdir(folder)).filter((name) => name.endsWith(".tgz")).map((name) => join(folder, name));
const tarball = (client: boolean) => tarballs.find((path) => path.includes("bucketline-client-") === client) ?? "";

/** An empty folder with these packages in it. */
async function install(name: string, packages: readonly string[]): Promise<string> {
  const cwd = join(folder, name);
  await mkdir(cwd);
  await writeFile(join(cwd, "package.json"), JSON.stringify({ name, private: true }));
  const quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
  await command("npm", ["install", ...quiet, ...packages], { cwd, timeout: INSTALL_MS });
  return cwd;
}

// What the apps run on, before what this runs on.
const node = values.node ?? process.execPath;
process.env["PATH"] = [dirname(node), process.env["PATH"]].join(delimiter);
const at = { root, main: tarball(false), client: tarball(true), node, install };
let passed = 0;
let failed = 0;
if (values.typescript) await step("the table of docs/typescript.md", () => typescriptTable(at));
else {
  await step("README's first job, as an ES module and in CommonJS", () => firstJobs(at));
  await step("the NestJS app of docs/nestjs.md, under NestJS 11", () => nestApp(at, "main"));
  await step("the same of the thin client", () => nestApp(at, "client"));
  await step("documents of the thin client in S3", () => clientDocuments(at));
  for (const [name, of] of [
    ["bucketline", at.main],
    ["@bucketline/client", at.client],
  ] as const)
    await step(`an app of ${name} that a bundler makes one file of`, () => bundledApps({ ...at, name, tarball: of }));
  await step("a worker that a bundler makes one file of", () => bundledWorker(at));
  await step("an old Node is told in one line what is needed", () => oldNodes(at));
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

async function step(what: string, run: () => Promise<string>): Promise<void> {
  try {
    console.log(`ok      ${what}: ${await run()}`);
    passed += 1;
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
