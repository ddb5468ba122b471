import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, posix, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** Packages that the pages import by name, and where their files are served. */
const PACKAGES: Readonly<Record<string, string>> = {
  preact: "vendor/preact.js",
  "preact/hooks": "vendor/preact-hooks.js",
  htm: "vendor/htm.js",
  uplot: "vendor/uplot.js",
};

/** Styles, from the general to the particular. */
const STYLES = ["base", "frame", "card", "table", "controls", "form", "chart", "batch", "problem", "overlay", "docs"];

const TYPES: Readonly<Record<string, string>> = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
  woff2: "font/woff2",
};

export type PageFile = { readonly type: string; readonly content: Buffer };

/** All files that the pages load. */
export type PageAssets = {
  /** Changes with any of the files: it is part of their addresses, so that a browser may keep them for ever. */
  readonly version: string;
  readonly files: ReadonlyMap<string, PageFile>;
  /** Every module that loads with the given one, itself included. */
  readonly modulesOf: (entry: string) => readonly string[];
};

const root = join(dirname(fileURLToPath(import.meta.url)), "pages");
const resolve = createRequire(import.meta.url).resolve;

/** The text of a page of HTML, with its places to fill in. */
export const readPage = (name: "shell" | "login"): string => readFileSync(join(root, `${name}.html`), "utf8");

/** Reads the pages' files: scripts as the build bundled them, and from source one by one, with those of packages. Styles become one file. */
export function readPageAssets(): PageAssets {
  const files = new Map<string, PageFile>();
  const add = (name: string, content: string | Buffer) => {
    const type = TYPES[name.split(".").at(-1) ?? ""] ?? "application/octet-stream";
    files.set(name, { type, content: typeof content === "string" ? Buffer.from(content) : content });
  };
  const own = join(root, "assets");
  const bundled = join(root, "bundled");
  for (const [name, file] of filesIn(own)) if (!/^styles\/|\.(js|ts)$/.test(name)) add(name, readFileSync(file));
  if (existsSync(bundled)) for (const [name, file] of filesIn(bundled)) add(name, readFileSync(file));
  else for (const [name, text] of singleScripts(own)) add(name, text);
  add("vendor/inter.woff2", readFileSync(resolve("@fontsource-variable/inter/files/inter-latin-wght-normal.woff2")));
  const styles = STYLES.map((name) => readFileSync(join(own, "styles", `${name}.css`), "utf8"));
  add("pages.css", [readFileSync(resolve("uplot/dist/uPlot.min.css"), "utf8"), ...styles].join("\n"));
  return { version: versionOf(files), files, modulesOf: (entry) => modulesFrom(files, entry) };
}

/** The files below a folder, by their path in it. */
function filesIn(folder: string): readonly (readonly [name: string, file: string])[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => [relative(folder, file).split(sep).join("/"), file]);
}

/** Our scripts and those of packages, without a build: names of packages become addresses. */
function singleScripts(own: string): readonly (readonly [name: string, text: string])[] {
  const text = (file: string) => readFileSync(resolve(file), "utf8").replace(/\n\/\/# sourceMappingURL=\S+\s*$/, "\n");
  const ours = filesIn(own)
    .filter(([name]) => name.endsWith(".js"))
    .map(([name, file]) => [name, withoutComments(readFileSync(file, "utf8"))] as const);
  const vendor = [
    ["vendor/preact.js", text("preact")],
    ["vendor/preact-hooks.js", text("preact/hooks")],
    ["vendor/htm.js", readFileSync(join(dirname(resolve("htm")), "htm.module.js"), "utf8")],
    // Only its script for plain pages comes minified: a third of the size. It leaves one name behind.
    ["vendor/uplot.js", `${text("uplot/dist/uPlot.iife.min.js")}\nexport default uPlot;\n`],
  ] as const;
  return [...ours, ...vendor].map(([name, script]) => [name, withAddresses(name, script)]);
}

/** An import's specifier, in our files and in minified ones; in comments, too, where only types are named. */
const SPECIFIER = /(\bfrom\s*|\bimport\s*)"([^"]+)"/g;

/** A package that a script loads when it comes to need it: nothing of it is under way before. */
const LATE = /(\bimport\()"([^"]+)"/g;

/**
 * Our scripts without the lines that are only a comment: a fifth of what would go over the wire. Nothing else is touched; what stands
 * behind code on its line stays.
 */
export function withoutComments(text: string): string {
  const lines: string[] = [];
  let inside = false;
  for (const line of text.split("\n")) {
    const trimmed = line.trim();
    const opens = !inside && trimmed.startsWith("/**") && (trimmed.endsWith("*/") || !trimmed.includes("*/"));
    const comment = inside || opens || trimmed.startsWith("//");
    if (opens) inside = true;
    if (trimmed.endsWith("*/")) inside = false;
    if (!comment) lines.push(line);
  }
  return lines.join("\n");
}

/** Browsers know no packages: their names become paths from the file that imports them. */
function withAddresses(name: string, text: string): string {
  const address = (whole: string, before: string, specifier: string) => {
    const target = PACKAGES[specifier];
    if (target === undefined) return whole;
    const path = posix.relative(posix.dirname(name), target);
    return `${before}"${path.startsWith(".") ? path : `./${path}`}"`;
  };
  return text.replace(SPECIFIER, address).replace(LATE, address);
}

function modulesFrom(files: ReadonlyMap<string, PageFile>, entry: string): readonly string[] {
  const found = new Set([entry]);
  for (const name of found) {
    const text = files.get(name)?.content.toString() ?? "";
    for (const [, , specifier = ""] of text.matchAll(SPECIFIER))
      if (/^\..*\.js$/.test(specifier)) found.add(posix.join(posix.dirname(name), specifier));
  }
  return [...found];
}

function versionOf(files: ReadonlyMap<string, PageFile>): string {
  const hash = createHash("sha256");
  for (const [name, { content }] of [...files].toSorted(([a], [b]) => (a < b ? -1 : 1)))
    hash.update(`${name}\0`).update(content);
  return hash.digest("hex").slice(0, 12);
}
