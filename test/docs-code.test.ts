import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { blocks, root } from "./docs-pages.ts";

/** What a page said before, or what is the reader's own. */
const BEFORE = `
import type { Readable } from "node:stream";
import type * as api from "bucketline";
import type * as stand from "bucketline/sandbox";
declare global {
  const producer: api.Producer;
  const sandbox: stand.Sandbox;
  const startSandbox: typeof stand.startSandbox;
  const object: api.S3Object;
  const document: api.DocumentPointer;
  const readable: Readable;
  const sealed: string;
  const publicKeys: Parameters<typeof api.sealCustomerKey>[0];
  const bytes: Uint8Array;
  const { createReadStream, createWriteStream }: typeof import("node:fs");
  const { pipeline }: typeof import("node:stream/promises");
}
`;

const ENTRIES = {
  bucketline: "producer/index.ts",
  "@bucketline/client": "producer/index.ts",
  "bucketline/jobs": "jobs/contracts.ts",
  "bucketline/worker": "worker/index.ts",
  "bucketline/documents": "documents/index.ts",
  "bucketline/nestjs": "nestjs/index.ts",
  "bucketline/sandbox": "sandbox/index.ts",
};

test("every TypeScript snippet of the docs compiles", { timeout: 180_000 }, async () => {
  // Those of a new verb are built and run by new-verb.test.ts.
  const snippets = blocks.filter(({ language, page }) => language === "ts" && page !== "CONTRIBUTING.md");
  expect(snippets.length).toBeGreaterThan(8);
  // Below the project, so that packages are found.
  await mkdir(join(root, "node_modules/.cache"), { recursive: true });
  const folder = await mkdtemp(join(root, "node_modules/.cache/docs-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const paths = Object.fromEntries(Object.entries(ENTRIES).map(([name, file]) => [name, [join(root, file)]]));
  const compilerOptions = {
    paths,
    rootDir: root,
    types: ["node"],
    // As the command line of Nest sets up an app.
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    erasableSyntaxOnly: false,
    noUnusedLocals: false,
  };
  await writeFile(
    join(folder, "tsconfig.json"),
    JSON.stringify({ extends: join(root, "tsconfig.json"), compilerOptions, include: ["*.ts"], exclude: [] }),
  );
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  await writeFile(join(folder, "before.d.ts"), BEFORE);
  for (const { page, line, text } of snippets)
    await writeFile(join(folder, `${page.replaceAll(/\W/g, "-")}-line-${line}.ts`), `${text}\nexport {};\n`);
  const { stdout } = await promisify(execFile)(join(root, "node_modules/.bin/tsc"), ["-p", folder], {
    cwd: folder,
  }).catch(
    (error: { stdout: string }) => error, // execFile's error has what was printed
  );
  expect(stdout.split("\n").filter((problem) => problem !== "")).toEqual([]);
});

test("every JSON of the docs can be read", () => {
  const wrong = blocks
    .filter(({ language, text }) => language === "json" && !text.includes("…"))
    .filter(({ text }) => !canParse(text))
    .map(({ page, line }) => `${page}:${line}`);
  expect(wrong).toEqual([]);
});

function canParse(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** A program reads the text and does not run it. */
async function isRead(program: string, args: readonly string[], text: string): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "bucketline-docs-"));
  try {
    const file = join(folder, args.at(-1) ?? "");
    await writeFile(file, text);
    await promisify(execFile)(program, [...args.slice(0, -1), file]);
    return undefined;
  } catch (error) {
    return (error as Error).message; // execFile rejects with errors
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Python reads it into a tree. */
const PARSE = "import ast, sys; ast.parse(open(sys.argv[1]).read())";
const READERS = {
  sh: ["bash", ["-n", "snippet.sh"]],
  python: ["python3", ["-c", PARSE, "snippet.py"]],
  mjs: [process.execPath, ["--check", "snippet.mjs"]],
  cjs: [process.execPath, ["--check", "snippet.cjs"]],
} as const;

/** Snippets in JavaScript that require are CommonJS. */
const languageOf = ({ language, text }: (typeof blocks)[number]): string =>
  language === "js" ? (/\brequire\(/.test(text) ? "cjs" : "mjs") : language;

// Only read: what they do needs services, or is run by `npm run apps` (README's first job) and by the tests of examples and deploy files.
test.each(Object.entries(READERS))("every snippet in %s can be read", async (language, [program, args]) => {
  const snippets = blocks.filter((block) => languageOf(block) === language);
  expect(snippets.length).toBeGreaterThan(0);
  const wrong = await Promise.all(
    snippets.map(async ({ page, line, text }) => {
      const problem = await isRead(program, args, text);
      return problem === undefined ? [] : [`${page}:${line}: ${problem}`];
    }),
  );
  expect(wrong.flat()).toEqual([]);
});

test("a snippet that cannot be read is found", async () => {
  const broken = { sh: "if true; then", python: "def f(:\n", mjs: "const = 1;", cjs: "await (;" };
  for (const [language, [program, args]] of Object.entries(READERS))
    expect(await isRead(program, args, broken[language as keyof typeof broken])).toBeDefined(); // the same names
});
