import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { type Comment, parseSync, type Program, Visitor } from "oxc-parser";

/** One thing that users may import, or a method of it. */
export type PublicDeclaration = {
  readonly entry: string;
  readonly name: string;
  readonly comment: string;
  /** It is called, or holds what may be chosen. */
  readonly wantsExample: boolean;
};

/** Types whose methods users call. */
const CALLED = /^(Producer|JobHandle|AnyJob|ListJob|Batches|BatchHandle|Documents|DocumentStore|Schedules)$/;

type Module = { readonly text: string; readonly program: Program; readonly comments: readonly Comment[] };

/** What the entries export, followed to where it is declared, with its methods. */
export function publicDeclarations(root: string, entries: readonly string[]): readonly PublicDeclaration[] {
  const modules = new Map<string, Module>();
  const moduleAt = (path: string): Module => {
    const known = modules.get(path);
    if (known !== undefined) return known;
    const text = readFileSync(join(root, path), "utf8");
    const { program, comments } = parseSync(path, text);
    const module = { text, program, comments };
    modules.set(path, module);
    return module;
  };
  return entries.flatMap((entry) =>
    [...exportsOf(moduleAt, entry)].flatMap(([name, at]) => declared(moduleAt(at.path), at.name, entry, name)),
  );
}

type Place = { readonly path: string; readonly name: string };

function exportsOf(moduleAt: (path: string) => Module, path: string): ReadonlyMap<string, Place> {
  const { program } = moduleAt(path);
  const found = new Map<string, Place>();
  const imported = new Map<string, Place>();
  const at = (source: string) => posix.join(posix.dirname(path), source);
  for (const node of program.body) {
    if (node.type === "ImportDeclaration" && node.source.value.startsWith("."))
      for (const one of node.specifiers)
        if (one.type === "ImportSpecifier")
          imported.set(one.local.name, { path: at(node.source.value), name: nameOf(one.imported) });
    if (node.type === "ExportAllDeclaration" && node.source.value.startsWith("."))
      for (const [name, place] of exportsOf(moduleAt, at(node.source.value))) found.set(name, place);
    if (node.type !== "ExportNamedDeclaration") continue;
    for (const { local, exported } of node.specifiers) {
      const name = nameOf(local);
      const source = node.source === null ? imported.get(name) : { path: at(node.source.value), name };
      const place = source ?? { path, name };
      found.set(nameOf(exported), exportsOf(moduleAt, place.path).get(place.name) ?? place);
    }
    for (const name of namesOf(node.declaration)) found.set(name, { path, name });
  }
  return found;
}

function nameOf(node: { readonly type: string; readonly name?: string; readonly value?: unknown }): string {
  return node.name ?? String(node.value);
}

type Declaration = Extract<Program["body"][number], { type: "ExportNamedDeclaration" }>["declaration"];

function namesOf(declaration: Declaration): readonly string[] {
  if (declaration === null) return [];
  if (declaration.type === "VariableDeclaration")
    return declaration.declarations.flatMap(({ id }) => (id.type === "Identifier" ? [id.name] : []));
  return "id" in declaration && declaration.id !== null && "name" in declaration.id ? [declaration.id.name] : [];
}

/** The declaration itself, then the methods of a type that users call. A type beside a value of its name is one of them. */
function declared(module: Module, name: string, entry: string, exported: string): PublicDeclaration[] {
  const own = module.program.body.filter(
    (node) => node.type === "ExportNamedDeclaration" && namesOf(node.declaration).includes(name),
  );
  const comment = own.map(({ start }) => commentBefore(module, start)).join("\n");
  const isFunction = own.some(
    (node) => node.type === "ExportNamedDeclaration" && node.declaration?.type === "FunctionDeclaration",
  );
  const itself = { entry, name: exported, comment, wantsExample: isFunction || exported.endsWith("Options") };
  return [itself, ...(CALLED.test(name) ? methodsOf(module, entry) : [])];
}

/** Of every type in the file that users call. */
function methodsOf(module: Module, entry: string): PublicDeclaration[] {
  const methods: PublicDeclaration[] = [];
  let type = "";
  new Visitor({
    TSTypeAliasDeclaration: ({ id }) => {
      type = id.name;
    },
    "TSTypeAliasDeclaration:exit": () => {
      type = "";
    },
    TSMethodSignature: ({ key, start }) => {
      if (!CALLED.test(type) || key.type !== "Identifier") return;
      methods.push({ entry, name: `${type}.${key.name}`, comment: commentBefore(module, start), wantsExample: true });
    },
  }).visit(module.program);
  return methods;
}

function commentBefore({ comments, text }: Module, start: number): string {
  const before = comments.findLast(({ end, type }) => end <= start && type === "Block");
  return before !== undefined && text.slice(before.end, start).trim() === "" ? before.value : "";
}

/** The code of each `@example`. */
export function examplesIn(comment: string): readonly string[] {
  const lines = comment.split("\n").map((line) => line.replace(/^\s*\* ?/, ""));
  const text = lines.join("\n");
  return [...text.matchAll(/^@example[^\n]*\n([\s\S]*?)(?=^@|$(?![\s\S]))/gm)].map(([, code = ""]) =>
    code.replaceAll(/^```\w*$/gm, "").trim(),
  );
}
