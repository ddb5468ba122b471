import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const shipped = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { readonly files: readonly string[] }; // ours
const pages = [
  "README.md",
  "ARCHITECTURE.md",
  "CHANGELOG.md",
  ...readdirSync(join(root, "docs")).map((name) => join("docs", name)),
].filter((path) => path.endsWith(".md"));

/** Links to files, without their anchors; code is left out. */
function linksOf(page: string): string[] {
  const text = readFileSync(join(root, page), "utf8").replaceAll(/```[^]*?```|`[^`\n]*`/g, "");
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = ""]) =>
    /^(https?:|mailto:|#)/.test(target) ? [] : [target.replace(/#.*$/, "")],
  );
}

describe.each(pages)("%s", (page) => {
  test("links to what is there, and what the package brings along", () => {
    const paths = linksOf(page).map((link) => relative(root, join(root, dirname(page), link)));
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
    const isShipped = (path: string) => shipped.files.some((entry) => path === entry || path.startsWith(`${entry}/`));
    expect(paths.filter((path) => !isShipped(path))).toEqual([]);
  });
});
