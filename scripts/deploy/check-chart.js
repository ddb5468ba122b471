// `npm run chart`: lints the Helm chart, renders it as users set it, holds what comes out against Kubernetes' own schemas, and makes sure that wrong
// values are refused. Needs helm (or Go, to make it) and Python, whose kubernetes-validate brings the schemas along: what is missing is said in a line.
// Every step has its bound, and says what it begins where it may take long. Prints `N passed, N failed`.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findOnPath } from "../find-on-path.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const chart = join(root, "deploy/helm");
const tools = join(root, "node_modules/.cache/chart");
const HELM = "helm.sh/helm/v3/cmd/helm@v3.20.1";
const SCHEMAS = "kubernetes-validate==1.37.0";
/** Minutes. Compiling helm takes some minutes of one core, once; a busy machine took 17. */
const BOUND = { install: 5, make: 30, check: 2 };

/** What users set, each beside the defaults. */
const FINE = {
  "the defaults": [],
  "everything switched on": [
    "monitoring.enabled=true",
    "autoscaling.enabled=true",
    "dashboard.ingress.enabled=true",
    "dashboard.ingress.tlsSecret=queues-tls",
    "image.pullSecrets[0]=registry",
    "worker.env.BUCKETLINE_CONCURRENCY=16",
    "worker.nodeSelector.disk=ssd",
    "worker.serviceAccountAnnotations.eks\\.amazonaws\\.com/role-arn=arn:aws:iam::111111111111:role/bucketline-worker",
  ],
  "workers alone": ["dashboard.enabled=false", "networkPolicy.enabled=false", "worker.shutdownSeconds=600"],
};
const WRONG = {
  "a name that is not known": "worker.replica=3",
  "a setting that is no name of the environment": "worker.env.concurrency=3",
  "documents nowhere": "documentsUrl=https://example.com",
  "no worker at all to scale from": "autoscaling.minReplicas=0",
};

let passed = 0;
let failed = 0;
mkdirSync(tools, { recursive: true });
try {
  checkChart(findOnPath("helm") ?? makeHelm(), makePython());
} catch (error) {
  failed += 1;
  console.log(`FAILED  ${error.message}`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function checkChart(helm, python) {
  step("lint", () => run(helm, ["lint", "--strict", chart]));
  for (const [what, values] of Object.entries(FINE)) {
    const rendered = join(tools, `${what.replaceAll(" ", "-")}.yaml`);
    step(`${what}: rendered`, () => writeFileSync(rendered, run(helm, template(values))));
    // Of other people's resources (KEDA, the Prometheus operator) Kubernetes has no schema: they are counted as such.
    step(`${what}: as Kubernetes 1.31 and 1.35 have it`, () => {
      for (const version of ["1.31", "1.35"])
        run(python, ["-m", "kubernetes_validate", "-k", version, "--strict", rendered]);
    });
  }
  for (const [what, value] of Object.entries(WRONG)) {
    step(`${what} is refused`, () => {
      const { status, stderr } = start(helm, template([value]));
      if (status === 0) throw new Error(`${value} was taken`);
      // Refused by the schema of the values, and not for whatever else may be wrong.
      if (!/don't meet the specifications of the schema/.test(stderr)) throw new Error(stderr.trim());
    });
  }
}

function template(values) {
  return ["template", "bucketline", chart, "--namespace", "queues", ...values.flatMap((value) => ["--set", value])];
}

function step(what, work) {
  try {
    work();
    passed += 1;
    console.log(`ok      ${what}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${what}: ${error.message}`);
  }
}

function makeHelm() {
  const program = join(tools, "helm");
  if (existsSync(program)) return program;
  const choices =
    "install helm 3 so that it is on the PATH (https://helm.sh/docs/intro/install), or Go to make it with";
  if (findOnPath("go") === undefined) throw new Error(`helm is missing, and so is Go: ${choices}`);
  console.log(`no helm on the PATH: making ${HELM} with Go, once, in at most ${BOUND.make} minutes ...`);
  const env = { ...process.env, GOBIN: tools };
  run("go", ["install", HELM], { env, minutes: BOUND.make });
  return program;
}

function makePython() {
  const program = join(tools, "python/bin/python");
  if (findOnPath("python3") === undefined)
    throw new Error("python3 is missing: install it so that it is on the PATH, for the schemas of Kubernetes");
  try {
    if (!existsSync(program)) run("python3", ["-m", "venv", join(tools, "python")]);
    const install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", SCHEMAS];
    run(program, install, { minutes: BOUND.install });
  } catch (error) {
    throw new Error(`${SCHEMAS} could not be installed (Debian: apt-get install python3-venv): ${error.message}`, {
      cause: error,
    });
  }
  return program;
}

function run(command, args, { env = process.env, minutes = BOUND.check } = {}) {
  const { status, stdout, stderr, error } = start(command, args, { env, minutes });
  if (status === 0) return stdout;
  const why = error?.code === "ETIMEDOUT" ? `not done within ${minutes} minutes` : error?.message;
  throw new Error(`${command} ${args.join(" ")}: ${why ?? `${stdout}${stderr}`.trim()}`);
}

function start(command, args, { env = process.env, minutes = BOUND.check } = {}) {
  return spawnSync(command, args, { encoding: "utf8", env, timeout: minutes * 60_000, killSignal: "SIGKILL" });
}
