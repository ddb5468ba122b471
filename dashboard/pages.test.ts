import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type DashboardHarness, startDashboardHarness } from "../test/dashboard-harness.ts";

const root = join(import.meta.dirname, "pages");
const files = readdirSync(root, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name));

let dashboard: DashboardHarness;
beforeAll(async () => {
  dashboard = await startDashboardHarness();
});
afterAll(() => dashboard.close());

test.each(files.filter((file) => file.endsWith(".js")).map((file) => file.slice(root.length + 1)))(
  "%s never reads text as HTML or as a program",
  (file) => {
    const source = readFileSync(join(root, file), "utf8");
    expect(source).not.toMatch(
      /innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|document\.write|DOMParser|setHTML/,
    );
    expect(source).not.toMatch(/\beval\(|new Function|setTimeout\(["'`]|srcdoc|javascript:/);
  },
);

test("no page has a script, a style or a listener in its text, or names another host", () => {
  for (const file of files.filter((name) => name.endsWith(".html"))) {
    const html = readFileSync(file, "utf8");
    expect(html).not.toMatch(/<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)/i);
    expect(html).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  }
});

test("every page is served, with everything that it loads", async () => {
  const loads = new Set<string>();
  for (const path of [
    "/",
    "/batches",
    "/batches/new",
    "/batches/b12345678",
    "/jobs",
    "/jobs/copy-object",
    "/jobs/copy-object/some%20id",
    "/quarantine",
    "/workers",
    "/docs",
    "/login",
  ]) {
    const answer = await dashboard.send(path);
    expect([path, answer.status, answer.headers["content-type"]]).toEqual([path, 200, "text/html; charset=utf-8"]);
    for (const [, target = ""] of answer.text.matchAll(/(?:src|href)="(\/(?:assets|vendor)\/[^"]+)"/g))
      loads.add(target);
  }
  for (const file of files.filter((name) => name.endsWith(".js"))) {
    const folder = `/assets/${file.slice(join(root, "assets").length + 1)}`;
    for (const [, target = ""] of readFileSync(file, "utf8").matchAll(/from "(\.[^"]+)"/g))
      loads.add(new URL(target, `http://x${folder}`).pathname);
  }
  expect(loads.size).toBeGreaterThan(15);
  for (const target of loads) expect([target, (await dashboard.send(target)).status]).toEqual([target, 200]);
});

test("nothing but the pages' own files is served", async () => {
  for (const path of [
    "/assets/",
    "/assets/../shell.html",
    "/assets/..%2fshell.html",
    "/assets/..%2f..%2fconfig.ts",
    "/assets/.env",
    "/vendor/..%2f..%2fpackage.json",
    "/shell.html",
  ]) {
    const { status } = await dashboard.send(path);
    expect([path, status >= 400]).toEqual([path, true]);
  }
});

test.each([
  ["light", 0],
  ["dark", 1],
])("even the faintest text is legible in the %s theme", (_theme, index) => {
  const css = readFileSync(join(root, "assets", "base.css"), "utf8");
  const colour = (name: string) =>
    new RegExp(`--${name}: light-dark\\((#\\w{6}), (#\\w{6})\\)`).exec(css)?.[index + 1] ?? "";
  for (const text of ["text", "muted", "faint"])
    for (const ground of ["bg", "surface", "raised"]) {
      const ratio = contrast(colour(text), colour(ground));
      expect([text, ground, ratio >= 4.5]).toEqual([text, ground, true]);
    }
});

/** https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
function contrast(one: string, other: string): number {
  const [high = 0, low = 0] = [luminance(one), luminance(other)].toSorted((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
