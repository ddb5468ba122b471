import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { examplesIn, publicDeclarations } from "./public-api/declarations.ts";

const root = join(import.meta.dirname, "..");
const ENTRIES = {
  bucketline: "producer/index.ts",
  "bucketline/jobs": "jobs/contracts.ts",
  "bucketline/documents": "documents/index.ts",
  "bucketline/worker": "worker/index.ts",
  "bucketline/nestjs": "nestjs/index.ts",
  "bucketline/sandbox": "sandbox/index.ts",
};

/** Names of each entry at most: what a user has no use for is not exported. */
const COUNTS = {
  bucketline: 74,
  "bucketline/jobs": 34,
  "bucketline/documents": 9,
  "bucketline/worker": 11,
  "bucketline/nestjs": 7,
  "bucketline/sandbox": 28,
};

/** Below the project, so that packages are found. */
const folder = (() => {
  mkdirSync(join(root, "node_modules/.cache"), { recursive: true });
  return mkdtempSync(join(root, "node_modules/.cache/examples-"));
})();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What an example may take for given. */
const GIVEN = `
import type { BatchHandle, JobHandle, Producer } from "bucketline";
import type { DocumentStore } from "bucketline/documents";
declare global {
  const producer: Producer;
  const job: JobHandle<"copy-object">;
  const batch: BatchHandle;
  const store: DocumentStore;
  const publicKey: { kty: string; crv: string; x: string; y: string };
}
`;

const declarations = publicDeclarations(root, Object.values(ENTRIES));
const examples = declarations.flatMap(({ name, comment }) => examplesIn(comment).map((code) => ({ name, code })));

describe("the public names", () => {
  test.each(Object.entries(COUNTS))("of %s are no more than %i", (entry, most) => {
    const names = declarations.filter(
      (one) => one.entry === ENTRIES[entry as keyof typeof ENTRIES] && !one.name.includes("."),
    );
    expect(names.map(({ name }) => name).length).toBeLessThanOrEqual(most);
  });

  test("of functions, methods and options are told with an example", () => {
    const silent = declarations.filter(({ wantsExample, comment }) => wantsExample && examplesIn(comment).length === 0);
    expect(silent.map(({ name }) => name)).toEqual([]);
  });
});

test("every example compiles", () => {
  for (const [index, { code }] of examples.entries())
    writeFileSync(join(folder, `${index}.ts`), `${code}\nexport {};\n`);
  writeFileSync(join(folder, "given.d.ts"), GIVEN);
  const paths = Object.fromEntries(Object.entries(ENTRIES).map(([name, path]) => [name, [join(root, path)]]));
  const compilerOptions = { noEmit: true, paths, rootDir: root, noUnusedLocals: false };
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({ extends: "../../../tsconfig.json", compilerOptions, include: ["*.ts"], exclude: [] }),
  );
  const { stdout, status } = spawnSync(join(root, "node_modules/.bin/tsc"), ["-p", folder], { encoding: "utf8" });
  const problems = stdout.split("\n").filter(Boolean);
  const told = problems.map((line) =>
    line.replace(/^.*?(\d+)\.ts/, (_all, index: string) => examples[Number(index)]?.name ?? ""),
  );
  expect({ told, status }).toEqual({ told: [], status: 0 });
  expect(examples.length).toBeGreaterThan(60);
});
