import { posix } from "node:path";
import type { Import, ImportKind, Source } from "./read-source.ts";

type Rule = {
  /** Rooms, or files of rooms (`worker/index.ts`), that may be loaded. */
  readonly loads: readonly string[];
  /** Beside those, what may be named in an `import type`. */
  readonly names?: readonly string[];
  /** Packages that may be loaded; "any" means any that has no home elsewhere. */
  readonly packages: readonly string[] | "any";
};

/** Files that are no part of a room's program: tests, and what tests share. tsconfig.build.json leaves them out as well. */
export const CROSSES_ROOMS =
  /^(test|bench|examples|scripts)\/|\.(test|fixture)\.ts$|(^|\/)(fixtures|[a-z-]+-harness)\.ts$|^[^/]+\.config\.ts$/;

/** The rooms from the ground up: each may load the rooms before it, and no other. */
const FLOORS = [
  "model",
  "redis",
  "credentials",
  "s3",
  "documents",
  "jobs",
  "batches",
  "producer",
  "worker",
  "dashboard",
  "cli",
  "nestjs",
] as const;

/** Packages that a room may load, where not every one that has no home elsewhere will do. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  model: ["zod", "fastest-levenshtein"],
  redis: ["zod", "bullmq", "ioredis"],
  documents: ["zod"],
  jobs: ["zod"],
  producer: ["zod", "bullmq", "bullmq-otel", "ioredis", "jose"],
  nestjs: ["@nestjs/common"],
};

/** Rooms below that a room does without, although they lie below it. */
const WITHOUT: Readonly<Record<string, readonly string[]>> = {
  s3: ["redis"],
  documents: ["redis", "credentials"],
  producer: ["credentials", "s3"],
  worker: ["producer"],
  dashboard: ["credentials", "s3", "worker"],
  cli: ["credentials", "s3", "worker"],
  nestjs: ["credentials", "s3", "worker", "dashboard", "cli"],
};

/** What a room may load besides: single files, or the sandbox. */
const BESIDES: Readonly<Record<string, readonly string[]>> = {
  credentials: ["jobs/contract.ts", "jobs/contracts.ts"],
  batches: ["credentials/connection.ts"],
  cli: ["sandbox", "worker/main.ts", "worker/inspect.ts"],
};

/** Rooms of which only types may be named, beside what may be loaded. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  batches: ["s3"],
};

/** Who may load whom. Handlers and batches are given the S3 room's functions: they name its types and load nothing of it. */
function ruleOf(path: string): Rule | undefined {
  const room = roomOf(path);
  if (room === "sandbox") return { loads: [], packages: "any" };
  const floor = FLOORS.indexOf(room as (typeof FLOORS)[number]);
  if (floor === -1) return undefined;
  const below = FLOORS.slice(0, floor).filter((name) => !WITHOUT[room]?.includes(name));
  const typesOnly = room === "jobs" || room === "batches" ? ["s3", "documents", "credentials"] : [];
  const loads = below.filter((name) => !typesOnly.includes(name) || (room === "batches" && name === "documents"));
  return {
    loads: [...loads, ...(BESIDES[room] ?? [])],
    names: [...typesOnly, ...(NAMES[room] ?? [])],
    packages: PACKAGES[room] ?? "any",
  };
}

/** Packages with a home: only files there may load them. */
const HOMES: readonly (readonly [packages: RegExp, home: RegExp])[] = [
  [/^@aws-sdk\/(client-s3|lib-storage|s3-request-presigner)$/, /^s3\//],
  [/^@(aws-sdk|smithy)\//, /^(credentials\/|s3\/)/],
];

/** Files that only the rooms named beside them may load. */
const PRIVATE: readonly (readonly [files: RegExp, room: RegExp])[] = [
  [/^jobs\/(handlers|[^/]+\/handler)\.ts$/, /^(jobs|worker)\//],
  [/^batches\/((listing|operations|run)\/|chunk-processor)/, /^(batches|worker)\//],
];

/** Every import that the table of rooms does not allow, as a line for a reader. */
export function importProblems(sources: readonly Source[]): readonly string[] {
  return sources.filter(({ path }) => !CROSSES_ROOMS.test(path)).flatMap((source) => problemsOf(source));
}

function problemsOf({ path, imports }: Source): string[] {
  const rule = ruleOf(path);
  if (!rule) return [`${path}: no import rule covers this folder; add one to test/architecture/import-rules.ts`];
  return imports.flatMap((found) => {
    const problem = found.specifier.startsWith(".") ? ofFile(path, found, rule) : ofPackage(path, found, rule);
    return problem ? [`${path}:${found.line} ${verb(found.kind)} ${problem}`] : [];
  });
}

function ofFile(path: string, { specifier, kind }: Import, rule: Rule): string | undefined {
  const target = resolve(path, specifier);
  const room = roomOf(target);
  if (roomOf(path) !== room) {
    const allowed = kind === "type" ? [...rule.loads, ...(rule.names ?? [])] : rule.loads;
    if (!allowed.includes(room) && !allowed.includes(target)) return `${target}: ${roomOf(path)} may not`;
  }
  const owner = PRIVATE.find(([files]) => files.test(target))?.[1];
  return owner && kind !== "type" && !owner.test(path) ? `${target}, which is not for ${roomOf(path)}` : undefined;
}

function ofPackage(path: string, { specifier, kind }: Import, rule: Rule): string | undefined {
  if (specifier.startsWith("node:") || kind === "type") return undefined;
  if (specifier === "(computed)") return "a name that is computed, so that no rule can see it";
  const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
  const home = HOMES.find(([packages]) => packages.test(name))?.[1];
  if (home) return home.test(path) ? undefined : `${name}, which only ${home.source} may`;
  if (rule.packages === "any" || rule.packages.includes(name)) return undefined;
  return `${name}; ${roomOf(path)} may load ${rule.packages.join(", ")}`;
}

/** What loads with a file, all the way down: files of ours and packages. Lazy imports are left out. */
export function loadedBy(entry: string, sources: readonly Source[]): { files: Set<string>; packages: Set<string> } {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const files = new Set([entry]);
  const packages = new Set<string>();
  for (const path of files) {
    for (const { specifier, kind } of byPath.get(path)?.imports ?? []) {
      if (kind !== "value") continue;
      if (specifier.startsWith(".")) files.add(resolve(path, specifier));
      else if (!specifier.startsWith("node:")) packages.add(specifier);
    }
  }
  return { files, packages };
}

/** Rings of files that load each other, or name each other's types, each as one line. */
export function importCycles(sources: readonly Source[]): readonly string[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]) => {
    const start = trail.indexOf(path);
    if (start !== -1) cycles.push([...trail.slice(start), path].join(" -> "));
    if (start !== -1 || done.has(path)) return;
    for (const { specifier, kind } of byPath.get(path)?.imports ?? []) {
      if (kind !== "lazy" && specifier.startsWith(".")) visit(resolve(path, specifier), [...trail, path]);
    }
    done.add(path);
  };
  for (const { path } of sources) visit(path, []);
  return cycles;
}

function resolve(from: string, specifier: string): string {
  return posix.normalize(posix.join(posix.dirname(from), specifier));
}

function roomOf(path: string): string {
  return path.split("/", 1)[0] ?? path;
}

function verb(kind: ImportKind): string {
  return { value: "loads", lazy: "loads lazily", type: "names types of" }[kind];
}
