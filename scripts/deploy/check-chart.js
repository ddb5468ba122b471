// `npm run chart`: lints the Helm chart, renders it as users set it, holds what comes out against Kubernetes' own schemas, and makes sure that wrong
// values are refused. Needs helm (or Go, to make it) and Python, whose kubernetes-validate brings the schemas along. Prints `N passed, N failed`.
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

mkdirSync(tools, { recursive: true });
const helm = findOnPath("helm") ?? makeHelm();
const python = makePython();
let passed = 0;
let failed = 0;

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
    const { status } = spawnSync(helm, template([value]), { encoding: "utf8" });
    if (status === 0) throw new Error(`${value} was taken`);
  });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

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
  if (!existsSync(program)) run("go", ["install", HELM], { ...process.env, GOBIN: tools });
  return program;
}

function makePython() {
  const program = join(tools, "python/bin/python");
  if (!existsSync(program)) run("python3", ["-m", "venv", join(tools, "python")]);
  run(program, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", SCHEMAS]);
  return program;
}

function run(command, args, env = process.env) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8", env });
  if (status === 0) return stdout;
  throw new Error(`${command} ${args.join(" ")}: ${error?.message ?? `${stdout}${stderr}`.trim()}`);
}
