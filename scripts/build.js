// Makes dist/, what is published: JavaScript and declarations from the sources, and beside them the pages and schemas they read at run time.
// Lua scripts are put into the JavaScript, so that an app may be bundled into a file of its own.
// `node scripts/build.js FOLDER` makes it there; what it needs of node_modules has to be found from that place.
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { inlineScripts } from "./lua/inline.js";
import { bundlePages } from "./pages/bundle.js";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = resolve(process.argv[2] ?? join(root, "dist"));
const { include } = JSON.parse(readFileSync(join(root, "tsconfig.build.json"), "utf8"));
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
/** For apps in CommonJS that are compiled with `module: node16` and without `skipLibCheck`. */
const NODE16 = "// @ts-ignore -- the setting `node16` does not know that Node requires ES modules (TS1479)\n";
const PAGES = "dashboard/pages";

rmSync(dist, { recursive: true, force: true });
const tsc = spawnSync(join(root, "node_modules/.bin/tsc"), ["-p", "tsconfig.build.json", "--outDir", dist], {
  cwd: root,
  stdio: "inherit",
});
if (tsc.error) throw tsc.error;
if (tsc.status === 0) {
  copyAssets();
  await inlineScripts(root, dist);
  writeVersion();
  await bundlePages(join(root, PAGES, "assets"), join(dist, PAGES, "bundled"));
  for (const path of Object.values(manifest.bin)) makeExecutable(join(dist, relative("dist", path)));
  writeGates();
}
process.exitCode = tsc.status ?? 1;

/** Pages, styles, schemas: all in the published rooms that is not TypeScript, but scripts of pages, which are bundled, and their tests. */
function copyAssets() {
  for (const room of include.filter((name) => existsSync(join(root, name)))) {
    cpSync(join(root, room), join(dist, relative(root, join(root, room))), {
      recursive: true,
      filter: (source) =>
        !/\/dashboard\/pages\/(tests$|.*\.js$)/.test(source) &&
        (statSync(source).isDirectory() || !/(\.(ts|md|lua)|\/tsconfig\.json)$/.test(source)),
    });
  }
}

/** From source it is read out of package.json, which an app that is bundled into one file does not have. */
function writeVersion() {
  const declared = `export const VERSION = ${JSON.stringify(manifest.version)};\n`;
  writeFileSync(
    join(dist, "model/version.js"),
    `/** The version of this package, as the build put it here. */\n${declared}`,
  );
}

/** What `require` loads: a Node that is too old cannot require a module, and would not say what is needed. */
function writeGates() {
  const check = readFileSync(join(dist, "model/supported-node.js"), "utf8").replace("export function", "function");
  const refuse =
    "const problem = nodeProblem(process.versions.node);\nif (problem !== undefined) throw new Error(problem);\n";
  writeFileSync(join(dist, "model/require-node.cjs"), `"use strict";\n${check}${refuse}`);
  for (const { require: gate, default: entry } of Object.values(manifest.exports)) {
    if (gate === undefined) continue;
    const [folder, name] = relative("dist", entry).split("/");
    const load = 'require("../model/require-node.cjs");\nmodule.exports = require(';
    writeFileSync(join(dist, folder, name.replace(/js$/, "cjs")), `"use strict";\n${load}"./${name}");\n`);
    writeFileSync(join(dist, folder, name.replace(/js$/, "d.cts")), `${NODE16}export * from "./${name}";\n`);
  }
}

function makeExecutable(path) {
  if (!existsSync(path))
    throw new Error(`package.json names the command ${relative(root, path)}, but its source is missing`);
  const firstLine = readFileSync(path, "utf8").split("\n", 1)[0];
  if (firstLine !== "#!/usr/bin/env node")
    throw new Error(`${relative(root, path)} must start with #!/usr/bin/env node`);
  chmodSync(path, 0o755);
}
