import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fastify from "fastify";
import { parseSync, Visitor } from "oxc-parser";
import { afterAll, beforeAll, expect, test } from "vitest";
import { withoutComments } from "./page-assets.ts";
import { addPages } from "./pages.ts";
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

test("the pages' scripts are files of one idea, functions of one screen, and folders that can be overlooked", () => {
  const scripts = files.filter((file) => file.endsWith(".js"));
  const long = scripts.flatMap((file) => {
    const text = readFileSync(file, "utf8");
    const lineOf = (offset: number) => text.slice(0, offset).split("\n").length;
    const found: string[] = text.split("\n").length > 350 ? [file] : [];
    const check = ({ start, end }: { start: number; end: number }) => {
      const lines = lineOf(end) - lineOf(start) + 1;
      if (lines > 60) found.push(`${file}:${lineOf(start)} has a function of ${lines} lines`);
    };
    new Visitor({ FunctionDeclaration: check, FunctionExpression: check, ArrowFunctionExpression: check }).visit(
      parseSync(file, text).program,
    );
    return found;
  });
  expect(long).toEqual([]);
  const folders = Map.groupBy(scripts, dirname);
  expect([...folders].filter(([, inside]) => inside.length > 20).map(([folder]) => folder)).toEqual([]);
});

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
    "/about",
    "/docs",
    "/login",
  ]) {
    const answer = await dashboard.send(path);
    expect([path, answer.status, answer.headers["content-type"]]).toEqual([path, 200, "text/html; charset=utf-8"]);
    for (const [, target = ""] of answer.text.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)) loads.add(target);
  }
  for (const target of loads) {
    const { status, text } = await dashboard.send(target);
    expect([target, status]).toEqual([target, 200]);
    if (!target.endsWith(".js")) continue;
    // As a browser reads them: names of packages have become addresses.
    for (const [, specifier = ""] of text.matchAll(/^(?:import|export)\b[^;]*?from\s*"([^"]+)"/gm)) {
      expect(specifier).toMatch(/^\.{1,2}\//);
      loads.add(new URL(specifier, `http://x${target}`).pathname);
    }
  }
  expect([...loads].filter((target) => target.endsWith(".js")).length).toBeGreaterThan(30);
});

test("files are packed for whoever takes it, and may be kept for ever; pages are asked for each time", async () => {
  const shell = await dashboard.send("/");
  const script = /src="([^"]+app\.js)"/.exec(shell.text)?.[1] ?? "";
  const plain = await dashboard.send(script);
  const packed = await dashboard.send(script, { headers: { "accept-encoding": "gzip, br;q=0" } });
  expect([plain.headers["content-encoding"], packed.headers["content-encoding"]]).toEqual([undefined, "gzip"]);
  expect(packed.headers["cache-control"]).toBe("public, max-age=31536000, immutable");
  expect(packed.headers["x-content-type-options"]).toBe("nosniff");
  expect(shell.headers["cache-control"]).toBe("no-cache");
  expect(shell.headers["content-security-policy"]).toContain("default-src 'self'");
  const old = await dashboard.send(script.replace(/\/[0-9a-f]{12}\//, "/000000000000/"));
  expect(old.status).toBe(404);
});

test("whoever follows a link is told in words that nothing is there; a program is told in JSON; and health checks may ask for heads", async () => {
  const browser = { accept: "text/html,application/xhtml+xml" };
  for (const path of ["/nowhere", "/batches/%zz", "/jobs/a/b/c/d"]) {
    const page = await dashboard.send(path, { headers: browser });
    const known = path.startsWith("/batches") ? [400, 404] : [404];
    expect([path, known.includes(page.status), page.headers["content-type"]]).toEqual([
      path,
      true,
      "text/html; charset=utf-8",
    ]);
    const answer = await dashboard.send(path, { headers: { accept: "application/json" } });
    expect([path, answer.headers["content-type"]]).toEqual([path, "application/problem+json; charset=utf-8"]);
  }
  expect((await dashboard.send("/api/nowhere", { headers: browser })).headers["content-type"]).toMatch(/problem\+json/);
  expect((await dashboard.send("/", { method: "HEAD" })).status).toBe(200);
});

test("under a path of a host, every address in a page begins with it", async () => {
  const app = fastify();
  app.decorateRequest("base", "/ops");
  await addPages(app);
  const { body } = await app.inject({ url: "/batches" });
  await app.close();
  expect(body).toContain('data-base="/ops"');
  const addresses = [...body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address);
  expect(addresses.length).toBeGreaterThan(20);
  expect(addresses.filter((address) => !address?.startsWith("/ops/"))).toEqual([]);
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
  const css = readFileSync(join(root, "assets", "styles", "base.css"), "utf8");
  const colour = (name: string) =>
    new RegExp(`--${name}: light-dark\\((#\\w{6}), (#\\w{6})\\)`).exec(css)?.[index + 1] ?? "";
  for (const text of ["text", "muted", "faint"])
    for (const ground of ["bg", "surface", "raised"]) {
      const ratio = contrast(colour(text), colour(ground));
      expect([text, ground, ratio >= 4.5]).toEqual([text, ground, true]);
    }
});

test.each(files.filter((file) => file.endsWith(".js")))("%s is the same program without its comments", (file) => {
  const text = readFileSync(file, "utf8");
  const programOf = (source: string) => JSON.stringify(parseSync(file, source).program.body, withoutPlaces);
  expect(programOf(withoutComments(text))).toBe(programOf(text));
});

/** Where in a file something stands changes with the comments before it. */
function withoutPlaces(name: string, value: unknown): unknown {
  return name === "start" || name === "end" || name === "range" ? undefined : value;
}

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

test("serves bull-board only where it is asked for, and leads nobody to it elsewhere", async () => {
  const plain = await startDashboardHarness({ env: { BUCKETLINE_DASHBOARD_BULL_BOARD: "false" } });
  expect((await plain.send("/queues/")).status).toBe(404);
  expect((await plain.send("/queues/api/queues")).status).toBe(404);
  expect((await plain.send("/api/about")).json()["bullBoard"]).toBe(false);
  await plain.close();
  expect((await dashboard.send("/queues/")).status).toBe(200);
  expect((await dashboard.send("/api/about")).json()["bullBoard"]).toBe(true);
});
