import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { fileProblems, folderProblems } from "./architecture/file-rules.ts";
import { importProblems } from "./architecture/import-rules.ts";
import { readSources, sourcePaths } from "./architecture/read-source.ts";
import { copyProject } from "./architecture/project-copy.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..");

/** What the page says to add to files that are there: before which line, and what. */
const LINES: Readonly<Record<string, readonly (readonly [before: string, line: string])[]>> = {
  "jobs/contracts.ts": [
    ["import { getObject }", 'import { getBucketLocation } from "./get-bucket-location/contract.ts";\n'],
    ['  "create-bucket":', '  "get-bucket-location": getBucketLocation,\n'],
  ],
  "jobs/handlers.ts": [
    ["import { getObjectHandler }", 'import { getBucketLocationHandler } from "./get-bucket-location/handler.ts";\n'],
    ['  "create-bucket":', '  "get-bucket-location": getBucketLocationHandler,\n'],
  ],
  "s3/interface.ts": [["  headBucket(bucket", "  bucketLocation(bucket: string, call: Call): Promise<string>;\n"]],
  "s3/create.ts": [
    ["import { createBucket,", 'import { bucketLocation } from "./requests/bucket-location.ts";\n'],
    ["    headBucket: (", "    bucketLocation: (bucket, call) => bucketLocation(store, bucket, call),\n"],
  ],
  "s3/guard.ts": [
    [
      "    async headBucket(",
      "    async bucketLocation(bucket, call) {\n      gate.reach(bucket);\n      return s3.bucketLocation(bucket, call);\n    },\n",
    ],
  ],
};

test("an activity is one folder and one line in two files, and a request of S3 a file and three lines: the walk of CONTRIBUTING.md compiles and keeps the rules", async () => {
  const folder = await copyProject();
  const page = await readFile(join(root, "CONTRIBUTING.md"), "utf8");
  const section = page.slice(page.indexOf("## Add an activity"), page.indexOf("## Add a batch verb"));
  const [contract = "", handler = "", request = "", ...more] = [...section.matchAll(/^```ts\n([^]*?)```/gm)].map(
    ([, code = ""]) => code,
  );
  expect(more).toEqual([]);
  const files = {
    "jobs/get-bucket-location/contract.ts": contract,
    "jobs/get-bucket-location/handler.ts": handler,
    "s3/requests/bucket-location.ts": request,
  };
  for (const [path, code] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), code);
  }
  for (const [path, lines] of Object.entries(LINES)) {
    expect(section).toContain(path.startsWith("jobs/") ? path : path.slice("s3/".length));
    let text = await readFile(join(folder, path), "utf8");
    for (const [before, line] of lines) text = text.replace(before, () => line + before);
    await writeFile(join(folder, path), text);
  }
  const config = { extends: "./tsconfig.json", include: [], files: ["jobs/handlers.ts", "s3/pool.ts"] };
  await writeFile(join(folder, "tsconfig.activity.json"), JSON.stringify(config));
  const tsc = [join(root, "node_modules/typescript/bin/tsc"), "--noEmit", "-p", "tsconfig.activity.json"];
  await run(process.execPath, tsc, { cwd: folder });
  expect(folderProblems(sourcePaths(folder))).toEqual([]);
  const sources = readSources(folder);
  expect([...fileProblems(sources), ...importProblems(sources)]).toEqual([]);
});
