/**
 * `npm run docs`: the docs as a site, in site/: guides, the reference of everything that may be imported, a page for each error, and a search. A link that
 * leads nowhere fails the build. The pages can be read without a server and without the internet; the search wants one: `npx vite preview`, or any other.
 * VitePress lies beside the project's packages and not among them: nobody who works on the code waits for it.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, posix, relative } from "node:path";
import { ERROR_GROUPS } from "../../model/error-codes.ts";
import { errorPage } from "../error-pages.ts";
import { asStaticPage } from "./static-page.ts";

const root = join(import.meta.dirname, "../..");
const tools = join(root, "node_modules/.cache/vitepress");
const source = join(root, "node_modules/.cache/site");
const site = join(root, "site");
const VITEPRESS = "vitepress@1.6.4";
const REPOSITORY = "https://github.com/bucketline/bucketline/blob/main/";

const GUIDES = [
  "producer",
  "nestjs",
  "batches",
  "documents",
  "credentials",
  "configuration",
  "production",
  "dashboard",
  "http-api",
  "cli",
  "sandbox",
  "conformance",
  "faults",
  "security",
  "benchmarks",
];
const PROJECT = ["ARCHITECTURE", "CONTRIBUTING", "CHANGELOG", "SECURITY", "CODE_OF_CONDUCT"];

run("npm", ["install", "--prefix", tools, "--no-save", "--no-audit", "--no-fund", "--silent", VITEPRESS]);
if (!process.argv.includes("--keep-api")) run(process.execPath, [join(root, "scripts/docs/write-api.js")]);
rmSync(source, { recursive: true, force: true });
const pages = ["README", ...PROJECT].map((name) => `${name}.md`).concat(markdownIn("docs"));
for (const page of pages) stage(page, readFileSync(join(root, page), "utf8"));
for (const [group, codes] of Object.entries(ERROR_GROUPS)) {
  for (const [code, entry] of Object.entries(codes)) write(`errors/${code}.md`, errorPage(group, code, entry));
}
cpSync(join(root, "docs/screenshots"), join(source, "docs/screenshots"), { recursive: true });
write(
  ".vitepress/config.mjs",
  `export default ${JSON.stringify(config(), undefined, 2)};\n`.replace('"@html"', "(md) => md.set({ html: false })"),
);
run(process.execPath, [join(tools, "node_modules/vitepress/bin/vitepress.js"), "build", source, "--outDir", site]);
const built = readdirSync(site, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".html"));
for (const name of built) writeFileSync(join(site, name), asStaticPage(readFileSync(join(site, name), "utf8"), name));
console.log(`site: ${built.length} pages`);

function markdownIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => posix.join(folder, name));
}

/** Puts a page where it lies in the project; what it links to that is no page is looked at in the repository. */
function stage(page: string, text: string): void {
  const linked = text.replaceAll(
    /\]\((?!https?:|mailto:|#)([^)\s#]+)(#[^)\s]*)?\)/g,
    (whole, path: string, anchor = "") => {
      const target = posix.normalize(posix.join(posix.dirname(page), path));
      if (!existsSync(join(root, target)) || pages.includes(target) || /\.(png|svg)$/.test(target))
        return target === "README.md" ? `](${posix.relative(posix.dirname(page), "index.md")}${anchor})` : whole;
      return `](${REPOSITORY}${target})`;
    },
  );
  // Two braces would be Vue's.
  const inert = linked.replaceAll("{{", "&#123;&#123;");
  write(page === "README.md" ? "index.md" : page, inert);
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(source, path)), { recursive: true });
  writeFileSync(join(source, path), text);
}

function titleOf(page: string): string {
  return /^# (.+)$/m.exec(readFileSync(join(root, `${page}.md`), "utf8"))?.[1] ?? page;
}

function config(): object {
  const item = (page: string) => ({ text: titleOf(page).replaceAll("`", ""), link: `/${page}` });
  const errors = Object.values(ERROR_GROUPS).flatMap((codes) => Object.keys(codes));
  return {
    title: "Bucketline",
    description: "Message-driven background worker for Amazon S3 and S3-compatible stores",
    lastUpdated: false,
    // Without a server nobody would turn /docs/producer into a file.
    cleanUrls: false,
    markdown: { config: "@html" },
    themeConfig: {
      search: { provider: "local" },
      outline: [2, 3],
      nav: [
        { text: "Guide", link: "/docs/producer" },
        { text: "Reference", link: "/docs/api/README" },
        { text: "Activities", link: "/docs/activities" },
        { text: "Errors", link: "/docs/errors" },
      ],
      sidebar: [
        { text: "Start", items: [{ text: "Overview", link: "/" }] },
        { text: "Guides", items: GUIDES.map((name) => item(`docs/${name}`)) },
        {
          text: "Reference",
          items: [
            { text: "What may be imported", link: "/docs/api/README" },
            ...markdownIn("docs/api")
              .filter((page) => !page.endsWith("README.md"))
              .map((page) => ({
                text: relative("docs/api", page).replace(/\.md$/, ""),
                link: `/${page.replace(/\.md$/, "")}`,
              })),
            item("docs/activities"),
          ],
        },
        {
          text: "Errors",
          collapsed: true,
          items: [item("docs/errors"), ...errors.map((code) => ({ text: code, link: `/errors/${code}` }))],
        },
        { text: "Project", collapsed: true, items: PROJECT.map((name) => item(name)) },
      ],
    },
  };
}

function run(command: string, args: readonly string[]): void {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${error?.message ?? "see above"}`);
}
