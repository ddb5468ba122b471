// `npm run docs:api`: writes docs/api, the reference of everything that users may import, out of the comments in the sources.
// TypeDoc knows no TypeScript of version 7, so it gets an older one of its own, beside the project's packages and not among them.
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const tools = join(root, "node_modules/.cache/typedoc");
const PACKAGES = ["typedoc@0.28.20", "typedoc-plugin-markdown@4.14.1", "typescript@5.9.3"];

mkdirSync(tools, { recursive: true });
run("npm", ["install", "--prefix", tools, "--no-save", "--no-audit", "--no-fund", "--silent", ...PACKAGES]);
rmSync(join(root, "docs/api"), { recursive: true, force: true });
run(process.execPath, [join(tools, "node_modules/typedoc/bin/typedoc"), "--options", "docs/typedoc.json"]);

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${error?.message ?? "see above"}`);
}
