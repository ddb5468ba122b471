import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Command } from "commander";
import { expect, onTestFinished, test } from "vitest";
import { everyCommand } from "../cli/every-command.ts";

const root = join(import.meta.dirname, "..");
const pages = [
  "README.md",
  ...(await readdir(join(root, "docs"))).filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`),
];

type Block = { readonly page: string; readonly line: number; readonly language: string; readonly text: string };

/** Fenced code of all pages. */
const blocks: readonly Block[] = (
  await Promise.all(
    pages.map(async (page) => {
      const text = await readFile(join(root, page), "utf8");
      return [...text.matchAll(/^```(\w*)[^\n]*\n([^]*?)^```/gm)].map(({ 1: language = "", 2: code = "", index }) => ({
        page,
        line: text.slice(0, index).split("\n").length + 1,
        language,
        text: code,
      }));
    }),
  )
).flat();

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
  "bucketline/jobs": "jobs/contracts.ts",
  "bucketline/worker": "worker/index.ts",
  "bucketline/documents": "documents/index.ts",
  "bucketline/nestjs": "nestjs/index.ts",
  "bucketline/sandbox": "sandbox/index.ts",
};

test("every TypeScript snippet of the docs compiles", { timeout: 180_000 }, async () => {
  const snippets = blocks.filter(({ language }) => language === "ts");
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

test("every command of the docs is there, with the options that they name", async () => {
  const commands = await everyCommand({ env: {}, cwd: root, terminal: false });
  const shown = blocks
    .filter(({ language }) => language === "sh" || language === "bash" || language === "")
    .flatMap(({ page, text }) =>
      text
        .replaceAll("\\\n", " ")
        .split("\n")
        .flatMap((line) =>
          [
            ...line.matchAll(
              /(?:^|[|] |^[$] |^\d[.] |^(?:[A-Z_]+=\S+ )+)(?:npx |node_modules\/\.bin\/)?bucketline ([a-z][^|#;]*)/g,
            ),
          ].map(([, words = ""]) => ({
            page,
            words,
          })),
        ),
    );
  expect(shown.length).toBeGreaterThan(5);
  const problems = shown.flatMap(({ page, words }) =>
    unknownIn(words.trim().split(/\s+/), commands).map((what) => `${page}: ${what}`),
  );
  expect(problems).toEqual([]);
});

/** Command and options that the command line does not know. */
function unknownIn([name = "", ...words]: readonly string[], commands: readonly Command[]): string[] {
  const found = commands.find((each) => each.name() === name);
  if (found === undefined) return [`no command ${name}`];
  let command: Command = found;
  for (const word of words) {
    const inner: Command | undefined = command.commands.find((each) => each.name() === word);
    if (inner === undefined) break;
    command = inner;
  }
  const known = new Set([
    "-h",
    "--help",
    "-q",
    "--quiet",
    "--reason",
    ...command.options.flatMap(({ short, long }) => [short, long]),
  ]);
  return words.flatMap((word) => {
    const option = /^--?[a-z][\w-]*/i.exec(word)?.[0];
    return option === undefined || known.has(option) ? [] : [`${command.name()} has no ${option}`];
  });
}
