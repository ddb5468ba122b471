// Makes client/out, the package @bucketline/client: the producer alone, cut out of dist/ (`npm run build` makes that).
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { bundlePackage } from "./bundle-package.js";
import { optionalPackage } from "./optional-package.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const dist = join(root, "dist");
const out = join(root, "client/out");
const ENTRIES = ["producer/index", "jobs/contracts", "documents/index", "nestjs/index"];
const IMPORT = /^\s*(?:import|export)\b[^"';]*?\bfrom\s*"([^"]+)"|^\s*import\s*"([^"]+)"|\bimport\("([^"]+)"\)/gm;
/** Names taken of a package: `import { a } from "x"`, `const { a } = await import("x")`. */
const NAMES =
  /^(?:import|export) \{([^}]*)\} from "([^".][^"]*)";|\bconst \{([^}]*)\} = await import\("([^".][^"]*)"\)/gm;
const REQUIRED = new Set(["zod", "ioredis", "jose", "fastest-levenshtein"]);
/** What the client brings along of a package, in a file of its own. */
const BUNDLED = new Set(["bullmq", "lru-cache"]);
/** Peers that are loaded only where an app asks for them: a document store in S3, traces. */
const OPTIONAL = new Set(["@aws-sdk/client-s3", "bullmq-otel"]);
/** The peer of an entry that nobody loads without it. */
const OF_AN_ENTRY = new Set(["@nestjs/common"]);

/** Types that declarations of ours name, that nobody outside is given, and whose packages the client comes without. */
const TYPES = {
  bullmq: `export interface Queue { readonly name: string }
export type JobsOptions = object;
export interface JobSchedulerJson { readonly every?: number; readonly pattern?: string; readonly tz?: string }
export type Telemetry = object;
`,
  pino: "export type Logger = object;\n",
  "@smithy/types": "export type AwsCredentialIdentityProvider = () => Promise<object>;\n",
};

if (!existsSync(dist)) throw new Error("dist/ is missing: run `npm run build` first");
const manifest = readJson("package.json");
rmSync(out, { recursive: true, force: true });

const code = reach(ENTRIES, ".js");
const types = reach(ENTRIES, ".d.ts");
for (const file of code.files) copy(`${file}.js`);
for (const file of types.files) copy(`${file}.d.ts`);
copy("model/require-node.cjs");
for (const file of ENTRIES) for (const ending of ["cjs", "d.cts"]) copy(`${file}.${ending}`);
for (const name of BUNDLED) {
  await bundlePackage(name, namesOf(name), join(out, "dist"));
  code.packages.delete(name);
}
for (const [name, text] of Object.entries(TYPES)) {
  writeFileSync(join(out, "dist", `${typesOf(name)}.d.cts`), text);
  types.packages.delete(name);
}
mkdirSync(join(out, "dist/optional"));
for (const name of OPTIONAL) writeFileSync(join(out, "dist", standsFor(name)), optionalPackage(name, namesOf(name)));
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
  const names = [];
  for (const file of files) {
    const path = join(dist, file + ending);
    if (!existsSync(path)) throw new Error(`${relative(root, path)} is missing, though something imports it`);
    const whole = readFileSync(path, "utf8");
    // Examples in comments import the package itself.
    const text = ending === ".d.ts" ? whole.replaceAll(/\/\*[^]*?\*\//g, "") : whole;
    for (const [, named, bare, later] of text.matchAll(IMPORT)) {
      const specifier = named ?? bare ?? later;
      if (specifier.startsWith("."))
        files.add(relative(dist, join(dist, dirname(file), specifier)).replace(/\.(js|ts)$/, ""));
      else if (!specifier.startsWith("node:")) packages.add(nameOf(specifier));
    }
    for (const [, list, from, listLater, fromLater] of text.matchAll(NAMES))
      for (const name of (list ?? listLater).split(",").map((each) => each.trim().split(" as ")[0]))
        if (name !== "") names.push({ name, from: from ?? fromLater });
  }
  return { files, packages, names };
}

function nameOf(specifier) {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}

/** What the client's code takes of a package. */
function namesOf(wanted) {
  const names = new Set(code.names.filter(({ from }) => from === wanted).map(({ name }) => name));
  if (names.size === 0)
    throw new Error(`nothing is taken of ${wanted} any more: leave it out of scripts/client/build.js`);
  return [...names].toSorted((a, b) => a.localeCompare(b));
}

/** The file of the client that stands for a package, or undefined. */
function standsFor(name) {
  if (BUNDLED.has(name)) return `${name}.cjs`;
  return OPTIONAL.has(name) ? `optional/${name.replace(/^.*\//, "")}.cjs` : undefined;
}

/** The declarations of the client that stand for those of a package, without their ending, or undefined. */
function typesOf(name) {
  return Object.hasOwn(TYPES, name) ? name.replace(/^@/, "").replace("/", "-") : undefined;
}

function copy(file) {
  mkdirSync(dirname(join(out, "dist", file)), { recursive: true });
  const to = join(out, "dist", file);
  cpSync(join(dist, file), to);
  const up = "../".repeat(file.split("/").length - 1) || "./";
  const text = readFileSync(to, "utf8");
  const standIn = (name) => {
    if (!file.endsWith(".d.ts")) return standsFor(name);
    return typesOf(name) && `${typesOf(name)}.cjs`;
  };
  const own = text.replaceAll(/(?<=\bfrom |\bimport\()"([^".][^"]*)"/g, (whole, name) =>
    standIn(name) === undefined ? whole : JSON.stringify(up + standIn(name)),
  );
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
  const unnamed = [...types.packages].find((name) => !all.includes(name));
  if (unnamed) throw new Error(`the client's types name ${unnamed}, which it comes without: add it to TYPES`);
  const optional = all.filter((name) => !REQUIRED.has(name)).toSorted((a, b) => a.localeCompare(b));
  const undecided = optional.find((name) => !OPTIONAL.has(name) && !OF_AN_ENTRY.has(name));
  if (undecided) throw new Error(`the client loads ${undecided}: say in scripts/client/build.js how an app gets it`);
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
