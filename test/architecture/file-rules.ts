import { posix } from "node:path";
import { CROSSES_ROOMS } from "./import-rules.ts";
import type { Source } from "./read-source.ts";

/** Past it a file has more than one idea. Tests may be longer: a list of cases is one idea. */
const MAX_LINES = 300;

/** Longer files, each with the reason why it is still one idea. */
const LONGER: Readonly<Record<string, string>> = {};

/** Half of all files have fewer lines. */
const MEDIAN_LINES = 110;

/** Where a program starts: its environment is read here and handed on. */
const ENTRY_FILES = /^(worker|cli|dashboard)\/main\.ts$/;

/** Other readers of the environment, each with the reason. */
const OTHER_READERS: Readonly<Record<string, string>> = {
  "sandbox/start-redis.ts": "part of the public sandbox: users' programs look for redis-server on their own PATH",
};

/** Past it a folder is a heap: its files want rooms of their own. Tests stand beside what they test and are not counted. */
const MAX_FILES = 20;

/** Folders that hold more, each with the reason. */
const FULLER: Readonly<Record<string, string>> = {};

const BAD_WORDS = new Set(["utils", "util", "common", "helpers", "helper", "misc", "manager"]);

/** What is wrong with files as such: names, sizes, and what may not be written in them. */
export function fileProblems(sources: readonly Source[]): readonly string[] {
  return sources.flatMap((source) => [
    ...nameProblems(source.path),
    ...sizeProblems(source),
    ...source.anys.map((line) => `${source.path}:${line} says any`),
    ...source.onlys.map((line) => `${source.path}:${line} runs only some tests`),
    ...source.longFunctions.map(({ line, lines }) => `${source.path}:${line} is a function of ${lines} lines`),
    ...source.unexplained.map((line) => `${source.path}:${line} switches off a check without a reason`),
    ...environmentProblems(source),
  ]);
}

/** Exceptions that are not needed any more. */
export function staleExceptions(sources: readonly Source[]): readonly string[] {
  const long = Object.keys(LONGER).filter((path) => !sources.some((one) => one.path === path && one.lines > MAX_LINES));
  const readers = Object.keys(OTHER_READERS).filter(
    (path) => !sources.some((one) => one.path === path && one.environmentReads.length > 0),
  );
  return [...long, ...readers];
}

/** Folders with more files than a reader takes in, and files whose name says again what their folder's says. */
export function folderProblems(paths: readonly string[]): readonly string[] {
  const files = new Map<string, number>();
  for (const path of paths.filter((one) => !one.endsWith(".test.ts"))) {
    const folder = posix.dirname(path);
    files.set(folder, (files.get(folder) ?? 0) + 1);
  }
  const full = [...files].filter(([folder, count]) => count > MAX_FILES && !FULLER[folder]);
  return [
    ...full.map(([folder, count]) => `${folder}/ holds ${count} files, at most ${MAX_FILES} are expected`),
    ...paths.filter(repeatsFolder).map((path) => `${path} repeats its folder's name`),
  ];
}

/** `parts/send-part.ts`: the folder says "part" already. */
function repeatsFolder(path: string): boolean {
  const folder = posix.basename(posix.dirname(path));
  const singular = folder.replace(/e?s$/, "");
  const name = posix.basename(path).split(".", 1)[0] ?? "";
  return [folder, singular].some((word) => `-${name}-`.includes(`-${word}-`));
}

/** What is wrong with the files taken together. */
export function medianProblem(sources: readonly Source[]): string | undefined {
  const lines = sources.flatMap((one) => (one.path.endsWith(".test.ts") ? [] : [one.lines])).toSorted((a, b) => a - b);
  const median = lines[Math.floor(lines.length / 2)] ?? 0;
  return median <= MEDIAN_LINES
    ? undefined
    : `half of all files have ${median} lines or more, expected ${MEDIAN_LINES}`;
}

function nameProblems(path: string): string[] {
  return path.split("/").flatMap((segment) => {
    const name = segment.replace(/(\.browser)?(\.(test|fixture|config))?\.m?ts$/, "");
    if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) return [`${path}: expected ${segment} in kebab-case`];
    const word = name === "types" ? name : name.split("-").find((part) => BAD_WORDS.has(part));
    return word ? [`${path}: "${word}" says nothing of what is inside`] : [];
  });
}

function sizeProblems({ path, lines }: Source): string[] {
  if (lines <= MAX_LINES || path.endsWith(".test.ts") || LONGER[path]) return [];
  return [`${path} has ${lines} lines, at most ${MAX_LINES} are expected`];
}

function environmentProblems({ path, environmentReads }: Source): string[] {
  if (ENTRY_FILES.test(path) || CROSSES_ROOMS.test(path) || OTHER_READERS[path]) return [];
  return environmentReads.map((line) => `${path}:${line} reads process.env; only a program's main.ts does`);
}
