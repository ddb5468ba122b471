// Ceph's object gateway in the foreground:  node test/ceph/main.ts                     until Ctrl-C
// or for as long as a command runs:         node test/ceph/main.ts some-command --endpoint {endpoint} ...
import { spawn } from "node:child_process";
import { once } from "node:events";
import { type Ceph, startCeph } from "./start.ts";

const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupted.abort());

const command = process.argv.slice(2);
const started = performance.now();
const ceph = await startCeph({ signal: interrupted.signal });
try {
  console.log(`Ceph's gateway answers after ${((performance.now() - started) / 1000).toFixed(1)} s
  endpoint    ${ceph.endpoint}
  region      ${ceph.region}
  access key  ${ceph.accessKeyId}
  secret key  ${ceph.secretAccessKey}
  logs        ${ceph.directory}`);
  if (command.length > 0) process.exitCode = await runWith(ceph, command);
  else await untilInterrupted();
} finally {
  await ceph.stop();
}

/** Runs the command with {endpoint}, {region}, {access-key} and {secret-key} filled in, and returns its exit code. */
async function runWith({ endpoint, region, accessKeyId, secretAccessKey }: Ceph, words: readonly string[]) {
  const values: Record<string, string> = { endpoint, region, "access-key": accessKeyId, "secret-key": secretAccessKey };
  const [file = "", ...args] = words.map((word) => word.replace(/\{([a-z-]+)\}/g, (all, name) => values[name] ?? all));
  const child = spawn(file, args, { stdio: "inherit", signal: interrupted.signal });
  const [code, signal] = await once(child, "exit");
  if (signal) console.error(`${file} was ended by ${signal}`);
  return typeof code === "number" ? code : 1;
}

async function untilInterrupted() {
  console.log("Ctrl-C stops it and removes everything.");
  // A signal listener alone does not keep a process alive.
  const alive = setInterval(() => {}, 60_000);
  if (!interrupted.signal.aborted) await once(interrupted.signal, "abort");
  clearInterval(alive);
}
