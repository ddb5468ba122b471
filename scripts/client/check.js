// `npm run client`: builds @bucketline/client, installs it in an empty folder as an app would, and looks at what came and whether it loads.
// Prints the figures and `N passed, N failed`; needs the registry that npm is set up for.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** Packages in node_modules, the client included. */
const MAX_PACKAGES = 35;
/** MB on disk, more than half of which is zod. */
const MAX_MB = 15;
/** Where the main package has the same entries. */
const MAIN = {
  "": "dist/producer/index.js",
  "/jobs": "dist/jobs/contracts.js",
  "/documents": "dist/documents/index.js",
};
const FORBIDDEN = /@aws-sdk|@smithy|fastify|fontsource|bull-board|uplot|bullmq/;

run("node", ["scripts/build.js"], root);
run("node", ["scripts/client/build.js"], root);
const folder = mkdtempSync(join(tmpdir(), "bucketline-client-"));
const failures = [];
let passed = 0;
try {
  run("npm", ["pack", "--silent", "--pack-destination", folder], join(root, "client/out"));
  const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"));
  writeFileSync(join(folder, "package.json"), '{"name":"app","private":true}\n');
  run("npm", ["install", "--no-audit", "--no-fund", "--silent", `./${tarball}`], folder);
  const paths = run("npm", ["ls", "--all", "--parseable"], folder).trim().split("\n").slice(1);
  const megabytes = (Number(run("du", ["-sk", "node_modules"], folder).split("\t")[0]) * 1024) / 1e6;
  console.log(`${paths.length} packages, ${megabytes.toFixed(1)} MB`);
  expect(paths.length <= MAX_PACKAGES, `at most ${MAX_PACKAGES} packages, got ${paths.length}`);
  expect(megabytes <= MAX_MB, `at most ${MAX_MB} MB, got ${megabytes.toFixed(1)}`);
  expect(!paths.some((path) => FORBIDDEN.test(path)), "no AWS SDK, web server, font or whole BullMQ");
  writeFileSync(
    join(folder, "app.mjs"),
    'import { createProducer, activityNames } from "@bucketline/client"; import { openDocumentStore } from "@bucketline/client/documents";' +
      'const asked = await openDocumentStore("s3://b/p").catch((error) => error.message);' +
      "console.log(typeof createProducer, activityNames.length > 10, /needs the package @aws-sdk\\/client-s3/.test(asked));",
  );
  for (const entry of ["", "/jobs", "/documents"]) {
    const names = (from) =>
      run("node", ["-p", `Object.keys(require(${JSON.stringify(from)})).toSorted().join()`], folder).trim();
    expect(names(`@bucketline/client${entry}`) === names(join(root, MAIN[entry])), `the names of bucketline${entry}`);
  }
  writeFileSync(join(folder, "app.cjs"), 'console.log(typeof require("@bucketline/client").createProducer);');
  expect(run("node", ["app.mjs"], folder) === "function true true\n", "loads as ESM and names what an S3 store needs");
  expect(run("node", ["app.cjs"], folder) === "function\n", "loads as CommonJS");
} finally {
  rmSync(folder, { recursive: true, force: true });
}
for (const failure of failures) console.log(`FAILED expected: ${failure}`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length === 0 ? 0 : 1;

function expect(holds, what) {
  if (holds) passed += 1;
  else failures.push(what);
}

function run(command, args, cwd) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status === 0) return stdout;
  throw new Error(`${command} ${args.join(" ")} ended with ${status}: ${error?.message ?? `${stdout}${stderr}`}`);
}
