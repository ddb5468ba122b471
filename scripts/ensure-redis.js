import { spawnSync } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { findOnPath } from "./find-on-path.js";

const CHOICES = `Redis is needed, and none was found. Choose one:
  - set REDIS_URL to a Redis you have, for example REDIS_URL=redis://127.0.0.1:6379
  - install redis-server or valkey-server so that it is on the PATH
      Debian, Ubuntu:  sudo apt-get install redis-server
      macOS:           brew install redis
  - start Docker`;

/** Makes sure that Redis can be had: one that is there, else one that is installed now. Throws with the choices. */
export function ensureRedis() {
  if (process.env.REDIS_URL || hasServer() || dockerAnswers()) return;
  const install = chooseInstaller();
  if (!install) throw new Error(CHOICES);
  process.stdout.write("setup: no REDIS_URL, no redis-server or valkey-server on the PATH, no Docker: ");
  const failed = install();
  if (failed || !hasServer())
    throw new Error(`Redis could not be installed: ${failed ?? "still not on the PATH"}.\n${CHOICES}`);
  process.stdout.write("setup: redis-server is installed; it is not started as a service\n");
}

function hasServer() {
  return Boolean(findOnPath("redis-server") ?? findOnPath("valkey-server"));
}

function dockerAnswers() {
  if (!findOnPath("docker")) return false;
  const { status } = spawnSync("docker", ["version", "--format", "{{.Server.Version}}"], {
    timeout: 5_000,
    stdio: "ignore",
  });
  return status === 0;
}

function chooseInstaller() {
  if (process.getuid?.() === 0 && findOnPath("apt-get")) return installWithApt;
  if (findOnPath("brew")) return installWithBrew;
  return undefined;
}

function installWithApt() {
  process.stdout.write("installing redis-server with apt-get ...\n");
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const wait = "DPkg::Lock::Timeout=300"; // another apt may be at work
  return withoutStartingServices(() => {
    // An update that fails for one of several sources still leaves lists to install from: the install decides.
    run("apt-get", ["-qq", "-o", wait, "update"], env);
    const failed = run("apt-get", ["-qq", "-y", "-o", wait, "install", "--no-install-recommends", "redis-server"], env);
    // Where systemd runs, the package would also start Redis at the next boot.
    if (!failed && existsSync("/run/systemd/system")) run("systemctl", ["disable", "--quiet", "redis-server"], env);
    return failed;
  });
}

/** Debian's packages ask this file before they start a service; 101 means no. */
function withoutStartingServices(install) {
  const policy = "/usr/sbin/policy-rc.d";
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    return install();
  } finally {
    if (ours) rmSync(policy, { force: true });
  }
}

function installWithBrew() {
  process.stdout.write("installing redis with brew ...\n");
  return run("brew", ["install", "--quiet", "redis"], process.env);
}

/** Runs it and shows its output only when it fails; why it failed, or undefined. */
function run(command, args, env) {
  const { status, error, stdout, stderr } = spawnSync(command, args, { stdio: ["ignore", "pipe", "pipe"], env });
  if (status === 0) return undefined;
  process.stderr.write(`${stdout ?? ""}${stderr ?? ""}`);
  return error ? `${command}: ${error.message}` : `\`${command} ${args.join(" ")}\` ended with ${status}`;
}
