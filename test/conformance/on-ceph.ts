// The conformance run against Ceph's object gateway, an S3 server that we did not write:  node test/conformance/on-ceph.ts [--json]
// Ends with the run's own last line, `N passed, N failed`, and its exit code.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { startCeph } from "../ceph/start.ts";

const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupted.abort());

const ceph = await startCeph({ signal: interrupted.signal });
try {
  const cli = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));
  const target = ["--endpoint", ceph.endpoint, "--region", ceph.region, "--path-style"];
  const keys = { AWS_ACCESS_KEY_ID: ceph.accessKeyId, AWS_SECRET_ACCESS_KEY: ceph.secretAccessKey };
  const run = spawn(process.execPath, [cli, "conformance", ...target, ...process.argv.slice(2)], {
    stdio: "inherit",
    env: { ...process.env, ...keys, AWS_SESSION_TOKEN: "" },
  });
  interrupted.signal.addEventListener("abort", () => run.kill("SIGTERM"));
  const [code] = await once(run, "exit");
  process.exitCode = typeof code === "number" ? code : 1;
} finally {
  await ceph.stop();
}
