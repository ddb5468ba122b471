import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Command, CommanderError } from "commander";
import { describe, expect, onTestFinished } from "vitest";
import { appEnv, runCli } from "../cli/command-harness.ts";
import { everyCommand } from "../cli/every-command.ts";
import type { Sandbox } from "../sandbox/index.ts";
import { blocks, root, spans } from "./docs-pages.ts";
import { test } from "./harness.ts";
import { shellCommands } from "./shell-words.ts";

type Shown = { readonly where: string; readonly words: readonly string[]; readonly whole: boolean };

const OURS = new Set(["bucketline", "node_modules/.bin/bucketline"]);
const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: Record<string, string> }; // ours

/** Everything that docs show to be typed; a span may leave out arguments. */
const shown: readonly Shown[] = [
  ...blocks
    .filter(({ language }) => ["sh", "bash", ""].includes(language))
    .flatMap(({ page, line, text }) => shownIn(`${page}:${line}`, text.replaceAll("\\\n", " ").split("\n"), true)),
  ...spans
    .filter(({ text }) => /^(?:[A-Z_]+=\S+ )*(?:npx |node_modules\/\.bin\/)?(?:bucketline|npm|node) /.test(text))
    .flatMap(({ page, text }) => shownIn(page, [text], false)),
];

function shownIn(where: string, lines: readonly string[], whole: boolean): Shown[] {
  return lines.flatMap((line) =>
    shellCommands(line).map(({ words }) => ({ where, words: words[0] === "npx" ? words.slice(1) : words, whole })),
  );
}

const ofOurs = (list: readonly Shown[]): Shown[] =>
  list.filter(({ words: [program = ""] }) => OURS.has(program)).map((one) => ({ ...one, words: one.words.slice(1) }));

/** The examples that every `--help` ends with. */
async function examplesOfHelp(): Promise<Shown[]> {
  const found: Shown[] = [];
  const collect = (command: Command, path: string) => {
    command.configureOutput({
      writeOut: (text) => {
        const lines = text.split("\n").filter((line) => /^ +\d+\. /.test(line));
        found.push(...shownIn(`${path} --help`, lines, true));
      },
    });
    command.outputHelp();
    for (const below of command.commands) collect(below, `${path} ${below.name()}`);
  };
  for (const command of await everyCommand({ env: {}, cwd: root, terminal: false })) collect(command, command.name());
  return ofOurs(found);
}

/** Parses words as the command line does, options, arguments and their values, and runs nothing. */
async function problemOf({ words, whole, where }: Shown): Promise<string[]> {
  const program = new Command("bucketline").option("-q, --quiet").option("--reason <text>").version("0");
  for (const command of await everyCommand({ env: {}, cwd: root, terminal: false })) program.addCommand(command);
  const quiet = (command: Command) => {
    command.exitOverride().configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
    command.action(() => undefined);
    for (const below of command.commands) quiet(below);
  };
  quiet(program);
  try {
    await program.parseAsync(words, { from: "user" });
    return [];
  } catch (error) {
    if (!(error instanceof CommanderError) || error.exitCode === 0) return [];
    if (!whole && /missing|help/i.test(error.code)) return [];
    return [`${where}: ${words.join(" ")}: ${error.message}`];
  }
}

describe("what docs and help show", () => {
  test("every command of bucketline is there, with its options, arguments and values (parsed, not run)", async () => {
    const commands = [...ofOurs(shown), ...(await examplesOfHelp())];
    expect(commands.length).toBeGreaterThan(50);
    expect((await Promise.all(commands.map(problemOf))).flat()).toEqual([]);
    for (const wrong of ["lss", "ls --recursivly", "batch rate", "put a s3:/b/k", "ls --limit few"])
      expect(await problemOf({ where: "", words: wrong.split(" "), whole: true })).toHaveLength(1);
  });

  test("every script of npm and every file that is run is there (named, not run)", () => {
    const problems = shown.flatMap(({ where, words: [program = "", ...rest] }) => {
      const first = rest.find((word) => !word.startsWith("-")) ?? "";
      if (program === "npm" && first === "run" && scripts[rest[1] ?? ""] === undefined)
        return [`${where}: npm run ${rest[1]}`];
      if (program === "npm" && ["start", "test"].includes(first) && scripts[first] === undefined)
        return [`${where}: ${first}`];
      const isFile = program === "node" && /^(?!node_modules\/)[\w./-]+\.(?:ts|js)$/.test(first);
      return isFile && !existsSync(join(root, first)) ? [`${where}: node ${first}`] : [];
    });
    expect(problems).toEqual([]);
    expect(shown.filter(({ words }) => words[0] === "npm" && words[1] === "run").length).toBeGreaterThan(40);
  });

  test("every file of the project that a sentence names is there", () => {
    const path =
      /^(?:scripts|deploy|docs|examples|test|bench|cli|worker|producer|jobs|batches|s3|model|redis|credentials|documents|dashboard|sandbox|nestjs)\/[\w./-]*\.(?:ts|js|md|lua|json|ya?ml|py|conf|sh)$/;
    const named = spans.filter(({ text }) => path.test(text));
    expect(named.length).toBeGreaterThan(15);
    const missing = named.filter(({ text }) => !existsSync(join(root, text)) && !OF_READERS.test(text));
    expect(missing).toEqual([]);
  });
});

/** What CONTRIBUTING.md tells its reader to make. */
const OF_READERS = /get-bucket-location|operations\/touch/;

/** Commands that work on objects; the others start services, or have ids of what a page told before. */
const RUNS = new Set(["ls", "get", "put", "mb", "rb", "stat", "du", "presign", "rm", "cp", "mv"]);
/** Profiles that the harness has not. */
const NOT_RUN = /--destination-profile/;

test("every example with objects does what it says, against the sandbox (run)", async ({ harness, sandbox }) => {
  const examples = [...ofOurs(shown), ...(await examplesOfHelp())].filter(
    ({ whole, words }) =>
      whole && RUNS.has(words[0] ?? "") && !NOT_RUN.test(words.join(" ")) && !/[…<$]/.test(words.join(" ")),
  );
  expect(examples.length).toBeGreaterThan(25);
  const cwd = await mkdtemp(join(tmpdir(), "bucketline-docs-"));
  onTestFinished(() => rm(cwd, { recursive: true, force: true }));
  const failed: string[] = [];
  for (const [index, { where, words }] of examples.entries()) {
    // Each has buckets of its own, and writes nothing outside of the folder.
    const args = words.map((word) => word.replace(/^s3:\/\/(?=.)/, `s3://e${index}-`).replace(/^\/tmp\//, "tmp/"));
    await prepare(args, cwd, sandbox);
    const { code, stderr } = await runCli(args, { env: appEnv(harness), cwd, stdin: "content" });
    if (code !== 0) failed.push(`${where}: ${words.join(" ")}: ${stderr}`);
  }
  expect(failed).toEqual([]);
}, 240_000);

/** Buckets, objects and files that an example takes for given. */
async function prepare(words: readonly string[], cwd: string, sandbox: Sandbox): Promise<void> {
  const [command = ""] = words;
  const urls = words.flatMap((word) => {
    const [, bucket = "", key = ""] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(word) ?? [];
    return bucket === "" ? [] : [{ bucket, key }];
  });
  for (const [index, { bucket, key }] of urls.entries()) {
    if (command === "mb") continue;
    if (!sandbox.buckets().includes(bucket)) sandbox.createBucket(bucket);
    if (index > 0 || command === "put" || command === "rb") continue;
    const filled =
      key.endsWith("/") || key === "" ? `${key}a.txt` : key.replaceAll("**/", "deep/").replaceAll("*", "a");
    sandbox.put(bucket, filled, "x".repeat(2000));
  }
  if (command !== "put") return;
  const file = words.slice(1).find((word) => !word.startsWith("-") && !word.startsWith("s3://")) ?? "";
  if (file === "") return;
  const name = words.includes("-r") ? join(cwd, file, "index.html") : join(cwd, file);
  await mkdir(dirname(name), { recursive: true });
  await writeFile(name, "content");
}
