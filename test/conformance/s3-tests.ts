// Ceph's s3-tests against the sandbox:  npm run s3-tests -- <checkout of github.com/ceph/s3-tests> [pytest arguments]
// Wants Python 3 with the suite's requirements.txt: `python3` of the checkout's own `.venv` or `venv`, else of the PATH, else --python <path>.
// Prints what passed, failed and is not claimed, by group, and every failure that is claimed. Ends with 1 if there is one.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { startSandboxProcess } from "../../sandbox/index.ts";
import { readResults, summarize } from "./s3-tests-results.ts";

/** Tests that AWS itself fails by the suite's own word, and configuration that the sandbox answers with NotImplemented. */
const SELECTION =
  "not fails_on_aws and not lifecycle and not bucket_logging and not cloud_transition and not cloud_restore";
const NAMES = ["main", "alt", "tenant", "iam", "iamroot", "iamalt"];

const [checkout, ...rest] = process.argv.slice(2);
if (checkout === undefined || !existsSync(join(checkout, "s3tests/functional/test_s3.py"))) {
  console.error("expected the path of a checkout of github.com/ceph/s3-tests");
  process.exit(2);
}
const flag = rest.indexOf("--python");
const chosen = flag < 0 ? undefined : rest.splice(flag, 2)[1];
const python = chosen ?? pythonOf(resolve(checkout));
const folder = await mkdtemp(join(tmpdir(), "bucketline-s3-tests-"));
const sandbox = await startSandboxProcess({
  // The suite is older than the defaults of 2023: it expects ACLs to work and nothing to be blocked.
  objectOwnership: "ObjectWriter",
  blockPublicAccess: false,
  logSize: 0,
  credentials: NAMES.map((name) => ({
    accessKeyId: name,
    secretAccessKey: `${name}-secret`,
    account: name,
    displayName: name,
    email: `${name}@example.com`,
  })),
});
try {
  const [config, report] = [join(folder, "s3tests.conf"), join(folder, "report.xml")];
  await writeFile(config, configuration(new URL(sandbox.endpoint)));
  const files = ["test_s3.py", "test_headers.py"].map((file) => `s3tests/functional/${file}`);
  const options = ["-q", "--tb=line", "-p", "no:cacheprovider", "-m", SELECTION, `--junit-xml=${report}`];
  const run = spawn(python, ["-m", "pytest", ...options, ...files, ...rest], {
    cwd: resolve(checkout),
    stdio: "inherit",
    env: { ...process.env, S3TEST_CONF: config },
  });
  await once(run, "exit");
  if (!existsSync(report))
    throw new Error(`${python} -m pytest wrote no report; are the suite's requirements installed?`);
  const summary = summarize(readResults(await readFile(report, "utf8")));
  console.log(summary.text);
  process.exitCode = summary.failed === 0 ? 0 : 1;
} finally {
  await sandbox.stop();
  await rm(folder, { recursive: true, force: true });
}

function pythonOf(folderOfSuite: string): string {
  return (
    [".venv", "venv"].map((name) => join(folderOfSuite, name, "bin/python")).find((path) => existsSync(path)) ??
    "python3"
  );
}

function configuration({ hostname, port }: URL): string {
  const user = (name: string) =>
    [
      `display_name = ${name}`,
      `user_id = ${name}`,
      `email = ${name}@example.com`,
      `access_key = ${name}`,
      `secret_key = ${name}-secret`,
    ].join("\n");
  return `[DEFAULT]
host = ${hostname}
port = ${port}
is_secure = False
ssl_verify = False
[fixtures]
bucket prefix = t-{random}-
[s3 main]
api_name = eu-west-1
${user("main")}
[s3 alt]
${user("alt")}
[s3 tenant]
tenant = tenant
${user("tenant")}
[iam]
${user("iam")}
[iam root]
${user("iamroot")}
[iam alt root]
${user("iamalt")}
`;
}
