import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { parseSync, Visitor } from "oxc-parser";
import { type LongFunction, longFunctionsOf } from "./long-functions.ts";

/** `value` is loaded with the file, `lazy` when its `import()` runs, `type` never. */
export type ImportKind = "value" | "lazy" | "type";

export type Import = { readonly specifier: string; readonly kind: ImportKind; readonly line: number };

/** What one file says of itself: enough for every rule. */
export type Source = {
  /** From the project's root, with slashes. */
  readonly path: string;
  readonly lines: number;
  readonly imports: readonly Import[];
  /** Lines that say `any`. */
  readonly anys: readonly number[];
  /** Lines that read `process.env`. */
  readonly environmentReads: readonly number[];
  /** Lines with `test.only` and the like. */
  readonly onlys: readonly number[];
  readonly longFunctions: readonly LongFunction[];
  /** Lines with `test.skip` and the like, or a switched-off check of a tool, that do not say why. */
  readonly unexplained: readonly number[];
};

/** Every TypeScript file of the project, whichever room it is in. */
export function readSources(root: string): readonly Source[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.m?ts$/.test(entry.name) && !entry.name.endsWith(".d.ts"))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => ({ file, path: relative(root, file).split(sep).join("/") }))
    .filter(({ path }) => !/^(node_modules|dist|site|client|\.[^/]+)\//.test(path))
    .map(({ file, path }) => readSource(path, readFileSync(file, "utf8")));
}

/** Paths of everything that is written by hand and run: TypeScript, the pages' JavaScript and styles, scripts in Lua. */
export function sourcePaths(root: string): readonly string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(m?[tj]s|css|lua)$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter((path) => !/^(node_modules|dist|site|client|\.[^/]+)\//.test(path));
}

export function readSource(path: string, text: string): Source {
  const { program, comments, errors } = parseSync(path, text);
  if (errors[0]) throw new Error(`${path} is not TypeScript that can be parsed: ${errors[0].message}`);
  const lineOf = lineCounter(text);
  const commented = new Set(comments.flatMap(({ start, end }) => [lineOf(start), lineOf(end)]));
  const imports: Import[] = [];
  const anys: number[] = [];
  const environmentReads: number[] = [];
  const onlys: number[] = [];
  const unexplained: number[] = [];
  const add = (node: { start: number }, specifier: string, kind: ImportKind) => {
    imports.push({ specifier, kind, line: lineOf(node.start) });
  };
  new Visitor({
    // `import { type A }` still loads the file: only a whole `import type` is erased.
    ImportDeclaration: (node) => add(node, node.source.value, node.importKind === "type" ? "type" : "value"),
    ExportAllDeclaration: (node) => add(node, node.source.value, node.exportKind === "type" ? "type" : "value"),
    ExportNamedDeclaration: (node) => {
      if (node.source) add(node, node.source.value, node.exportKind === "type" ? "type" : "value");
    },
    ImportExpression: (node) => {
      const name = node.source.type === "Literal" ? node.source.value : undefined;
      add(node, typeof name === "string" ? name : "(computed)", "lazy");
    },
    TSImportType: (node) => add(node, node.source.value, "type"),
    TSAnyKeyword: (node) => anys.push(lineOf(node.start)),
    MemberExpression: (node) => {
      const { object, property } = node;
      if (object.type !== "Identifier" || property.type !== "Identifier") return;
      if (object.name === "process" && property.name === "env") environmentReads.push(lineOf(node.start));
      if (!["test", "it", "describe"].includes(object.name)) return;
      const line = lineOf(node.start);
      if (property.name === "only") onlys.push(line);
      if (/^(skip|skipIf|runIf|todo|fails)$/.test(property.name) && !commented.has(line - 1) && !commented.has(line)) {
        unexplained.push(line);
      }
    },
  }).visit(program);
  for (const { value, start } of comments) {
    if (/@ts-(ignore|nocheck|expect-error)\s*$|(oxlint|eslint)-disable(?!.* -- )/.test(value))
      unexplained.push(lineOf(start));
  }
  return {
    path,
    lines: text.split("\n").length - 1,
    imports,
    anys,
    environmentReads,
    onlys,
    longFunctions: longFunctionsOf(program, text, lineOf),
    unexplained,
  };
}

/** The line, from 1, of an offset. */
function lineCounter(text: string): (offset: number) => number {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return (offset) => starts.findLastIndex((start) => start <= offset) + 1;
}
