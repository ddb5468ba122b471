import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const root = join(import.meta.dirname, "..");

/** What users and contributors read. */
export const pages: readonly string[] = [
  "README.md",
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "client/README.md",
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

export type Block = { readonly page: string; readonly line: number; readonly language: string; readonly text: string };

const texts = pages.map((page) => ({ page, text: readFileSync(join(root, page), "utf8") }));

/** Fenced code of all pages. */
export const blocks: readonly Block[] = texts.flatMap(({ page, text }) =>
  [...text.matchAll(/^```(\w*)[^\n]*\n([^]*?)^```/gm)].map(({ 1: language = "", 2: code = "", index }) => ({
    page,
    line: text.slice(0, index).split("\n").length + 1,
    language,
    text: code,
  })),
);

/** Code within a sentence. */
export const spans: readonly { readonly page: string; readonly text: string }[] = texts.flatMap(({ page, text }) =>
  [...text.replaceAll(/^```[^]*?^```/gm, "").matchAll(/`([^`\n]+)`/g)].map(({ 1: code = "" }) => ({
    page,
    text: code,
  })),
);
