// Makes client/out, the package @bucketline/client: the producer alone, cut out of dist/ (`npm run build` makes that).
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleBullmq } from "./bundle-bullmq.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const dist = join(root, "dist");
const out = join(root, "client/out");
const ENTRIES = ["producer/index", "jobs/contracts", "documents/index", "nestjs/index"];
const IMPORT = /^\s*(?:import|export)\b[^"';]*?\bfrom\s*"([^"]+)"|^\s*import\s*"([^"]+)"|\bimport\("([^"]+)"\)/gm;
const FROM_BULLMQ = /^import \{([^}]*)\} from "bullmq";/gm;
/** The others are loaded only where an app asks for them (a document store in S3, traces, NestJS), so they are optional peers of the client. */
const REQUIRED = new Set(["zod", "ioredis", "jose", "pino", "fastest-levenshtein"]);

if (!existsSync(dist)) throw new Error("dist/ is missing: run `npm run build` first");
const manifest = readJson("package.json");
rmSync(out, { recursive: true, force: true });

const code = reach(ENTRIES, ".js");
const types = reach(ENTRIES, ".d.ts");
for (const file of code.files) copy(`${file}.js`);
for (const file of types.files) copy(`${file}.d.ts`);
copy("model/require-node.cjs");
for (const file of ENTRIES) for (const ending of ["cjs", "d.cts"]) copy(`${file}.${ending}`);
code.packages.delete("bullmq");
await bundleBullmq([...code.ofBullmq], join(out, "dist"));
cpSync(join(root, "LICENSE"), join(out, "LICENSE"));
cpSync(join(root, "client/README.md"), join(out, "README.md"));
writeFileSync(
  join(out, "package.json"),
  `${JSON.stringify(completed(readJson("client/package.json")), undefined, 2)}\n`,
);
console.log(
  `client/out: ${code.files.size} modules; needs ${[...code.packages].filter((name) => REQUIRED.has(name)).join(", ")}`,
);

/** Files of ours (without their ending) that the entries load, at once or later, and the packages that those name. */
function reach(entries, ending) {
  const files = new Set(entries);
  const packages = new Set();
  const ofBullmq = new Set();
  for (const file of files) {
    const path = join(dist, file + ending);
    if (!existsSync(path)) throw new Error(`${relative(root, path)} is missing, though something imports it`);
    const text = readFileSync(path, "utf8");
    for (const [, named, bare, later] of text.matchAll(IMPORT)) {
      const specifier = named ?? bare ?? later;
      if (specifier.startsWith("."))
        files.add(relative(dist, join(dist, dirname(file), specifier)).replace(/\.(js|ts)$/, ""));
      else if (!specifier.startsWith("node:")) packages.add(nameOf(specifier));
    }
    for (const [, names] of text.matchAll(FROM_BULLMQ)) for (const name of names.split(",")) ofBullmq.add(name.trim());
  }
  return { files, packages, ofBullmq };
}

function nameOf(specifier) {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}

function copy(file) {
  mkdirSync(dirname(join(out, "dist", file)), { recursive: true });
  const to = join(out, "dist", file);
  cpSync(join(dist, file), to);
  if (!/\.(js|ts)$/.test(file)) return;
  const text = readFileSync(to, "utf8");
  const own = text.replaceAll('from "bullmq"', `from "${"../".repeat(file.split("/").length - 1)}bullmq.cjs"`);
  if (own !== text) writeFileSync(to, own);
}

function completed(client) {
  const { license, repository, homepage, bugs, engines, version, dependencies } = manifest;
  const known = { ...dependencies, ...manifest.peerDependencies };
  const versions = (names) =>
    Object.fromEntries(names.toSorted((a, b) => a.localeCompare(b)).map((name) => [name, known[name]]));
  const all = [...code.packages];
  const unknown = all.find((name) => known[name] === undefined);
  if (unknown) throw new Error(`the client loads ${unknown}, which is not among the dependencies of package.json`);
  const optional = all.filter((name) => !REQUIRED.has(name)).toSorted((a, b) => a.localeCompare(b));
  return {
    ...client,
    version,
    license,
    repository,
    homepage,
    bugs,
    engines,
    dependencies: versions(all.filter((name) => REQUIRED.has(name))),
    peerDependencies: versions(optional),
    peerDependenciesMeta: Object.fromEntries(optional.map((name) => [name, { optional: true }])),
  };
}

function readJson(path) {
  return JSON.parse(readFileSync(join(root, path), "utf8"));
}
