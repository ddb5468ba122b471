import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findOnPath } from "./find-on-path.js";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const installed = join(root, "node_modules");

/** Runs `npm ci` unless node_modules already holds what package-lock.json asks for. Throws when it cannot. */
export function installDependencies() {
  const reason = whatDiffers() ?? whatNodeLacks();
  if (!reason) return;
  const nodeModulesBin = join(installed, ".bin");
  // `npm ci` deletes node_modules, and with it the Node that runs this script the second time: use the machine's own.
  const node = findOnPath("node", (path) => dirname(path) !== nodeModulesBin) ?? process.execPath;
  const npm = process.env.npm_execpath;
  const [command, first] = npm?.endsWith(".js") ? [node, [npm]] : ["npm", []];
  const quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
  // npm waits five minutes for an answer that got lost, before it asks again.
  const network = ["--prefer-offline", "--fetch-timeout=45000", "--fetch-retries=3"];
  const args = [...first, "ci", ...quiet, ...network, "--ignore-scripts=false"];
  process.stdout.write(`setup: installing dependencies (${reason}) ...\n`);
  const started = Date.now();
  // A child of `npm test -- x` inherits that npm's configuration in npm_config_*: nothing of it may change the install.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !isConfigOfCaller(name)));
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"], env });
  if (error) throw new Error(`npm could not be started (${error.message}); is it on the PATH?`);
  if (status !== 0) {
    throw new Error(
      `\`npm ci\` ended with ${status}: see its lines above. Usual causes: no network or no registry (npm ping), ` +
        `a full disk, or a package.json that does not fit package-lock.json.`,
    );
  }
  const lacks = whatNodeLacks();
  if (lacks) throw new Error(`\`npm ci\` succeeded, but ${lacks}; try: rm -rf node_modules && npm ci`);
  process.stdout.write(`setup: installed in ${((Date.now() - started) / 1000).toFixed(0)} s\n`);
}

/** Why node_modules is not what the lock file says, or undefined. npm keeps its own record of what it installed. */
function whatDiffers() {
  const record = readPackages(join(installed, ".package-lock.json"));
  if (!record) return "first run";
  const wanted = readPackages(join(root, "package-lock.json"));
  if (!wanted) throw new Error(`${join(root, "package-lock.json")} is missing or not JSON; restore it from git`);
  for (const [path, { version, optional, link }] of Object.entries(wanted)) {
    // The root itself has an empty path; optional packages are left out on platforms that they do not suit.
    if (path === "" || link || (optional && !record[path])) continue;
    if (record[path]?.version !== version)
      return `${path.replace(/^.*node_modules\//, "")} ${version} is not installed`;
  }
  return undefined;
}

/** Why `npm start` would not run on the Node that the project brings along, or undefined. */
function whatNodeLacks() {
  const wanted = readPackages(join(root, "package-lock.json"))?.["node_modules/node"]?.version;
  if (!wanted) return undefined;
  const { stdout } = spawnSync(join(installed, ".bin", "node"), ["--version"], { encoding: "utf8" });
  return stdout?.trim() === `v${wanted}` ? undefined : `node_modules/.bin/node is not Node ${wanted}`;
}

function readPackages(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8")).packages;
  } catch {
    return undefined; // absent, or cut off by an interrupted install: either way it is to be installed anew
  }
}

function isConfigOfCaller(name) {
  return /^npm_config_(ignore_scripts|omit|include|production|only|dry_run)$/i.test(name);
}
