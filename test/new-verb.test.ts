import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { findChromium } from "./browser.ts";
import { copyProject } from "./architecture/project-copy.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..");

/** The files of the page's walk, in its order: each block of code stands after the path that it belongs to. */
async function walk(): Promise<Map<string, string>> {
  const page = await readFile(join(root, "CONTRIBUTING.md"), "utf8");
  const section = page.slice(page.indexOf("## Add a batch verb"), page.indexOf("## Before you send it"));
  const blocks = [...section.matchAll(/^\d\. `([^`]+\.ts)`:[^\n]*\n\n```ts\n([^]*?)```/gm)];
  return new Map(blocks.map(([, path = "", code = ""]) => [path, code]));
}

test("a verb is one folder and one line: the walk of CONTRIBUTING.md gives one that plans, survives a kill, reports and shows", async () => {
  const folder = await copyProject();
  const files = await walk();
  expect([...files.keys()]).toEqual(["batches/operations/touch/spec.ts", "batches/operations/touch/operation.ts"]);
  await mkdir(join(folder, "batches/operations/touch"));
  for (const [path, code] of files) await writeFile(join(folder, path), code);
  const list = join(folder, "batches/operations.ts");
  const before = await readFile(list, "utf8");
  const line = before.replace("export const operations = {\n", "export const operations = {\n  touch,\n");
  await writeFile(list, `import { touch } from "./operations/touch/spec.ts";\n${line}`);

  // What stands on the list of verbs; the rest of the project does not know that there is a list.
  const checked = [
    "batches/operations/touch/operation.ts",
    "batches/chunk-processor.ts",
    "dashboard/api/batches/schemas.ts",
  ];
  await writeFile(
    join(folder, "tsconfig.verb.json"),
    JSON.stringify({ extends: "./tsconfig.json", include: [], files: checked }),
  );
  const tsc = [join(root, "node_modules/typescript/bin/tsc"), "--noEmit", "-p", "tsconfig.verb.json"];
  await run(process.execPath, tsc, { cwd: folder });
  const { stdout } = await run(process.execPath, ["test/new-verb.fixture.ts"], { cwd: folder, timeout: 240_000 });
  const saw: unknown = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
  expect(saw).toEqual({
    planned: expect.stringMatching(/^would touch 1,200 objects/m),
    copiesOfPlan: 0,
    ended: { state: "completed", listed: 1200, counted: 1200 },
    rows: 1200,
    kept: 1200,
    asked: 201,
    again: 10,
    operations: expect.arrayContaining([
      { name: "touch", title: "Touch", hint: "Objects are dated anew", sources: "kept", destination: false },
    ]),
    shown: { operation: "touch", sources: "kept" },
    inOpenApi: true,
    page: findChromium() === undefined ? "no browser here" : { asksForDestination: false, problems: [] },
  });
}, 300_000);
