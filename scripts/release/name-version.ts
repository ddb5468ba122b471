// `npm run release:version`: gives what has changed a version. changesets says which, from the files in .changeset; the lines under "Unreleased" of
// CHANGELOG.md go below it, and lock file and Helm chart get the same version.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { nameUnreleased } from "./changelog.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const CHANGESETS = "@changesets/cli@3.0.3";

run("npx", ["--yes", CHANGESETS, "version"]);
const { version } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as { readonly version: string }; // our own
change("CHANGELOG.md", (text) => nameUnreleased(text, version, new Date().toISOString().slice(0, 10)));
change("deploy/helm/Chart.yaml", (text) => text.replaceAll(/^(version|appVersion): .*$/gm, `$1: ${version}`));
change("deploy/kubernetes/kustomization.yaml", (text) => text.replace(/newTag: .*/, `newTag: ${version}`));
run("npm", ["version", version, "--no-git-tag-version", "--allow-same-version"]);

function change(path: string, edit: (text: string) => string): void {
  writeFileSync(root + path, edit(readFileSync(root + path, "utf8")));
}

function run(command: string, args: readonly string[]): void {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  if (status !== 0)
    throw new Error(`${command} ${args.join(" ")} ended with ${status}: ${error?.message ?? "see above"}`);
}
