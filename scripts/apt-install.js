import { spawnSync } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";

/**
 * Installs those of Debian's packages that are missing, as root, without letting a service of theirs start now or at the
 * next boot. What is there is not upgraded. Returns why it failed, or undefined.
 */
export function aptInstall(packages, { services = [] } = {}) {
  const missing = packages.filter((name) => !isInstalled(name));
  if (missing.length === 0) return undefined;
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const wait = ["-o", "DPkg::Lock::Timeout=300"]; // another apt may be at work
  return withoutStartingServices(() => {
    // An update that fails for one of several sources still leaves lists to install from: the install decides.
    run("apt-get", ["-qq", ...wait, "update"], env);
    const failed = run("apt-get", ["-qq", "-y", ...wait, "install", "--no-install-recommends", ...missing], env);
    if (!failed && existsSync("/run/systemd/system")) {
      for (const service of services) run("systemctl", ["disable", "--quiet", service], env);
    }
    return failed;
  });
}

function isInstalled(name) {
  const { stdout } = spawnSync("dpkg-query", ["-W", "-f", "${Status}", name], { encoding: "utf8" });
  return stdout === "install ok installed";
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

/** Runs it and shows its output only when it fails; why it failed, or undefined. */
function run(command, args, env) {
  const { status, error, stdout, stderr } = spawnSync(command, args, { stdio: ["ignore", "pipe", "pipe"], env });
  if (status === 0) return undefined;
  for (const output of [stdout, stderr]) process.stderr.write(output?.toString() ?? "");
  return error ? `${command}: ${error.message}` : `\`${command} ${args.join(" ")}\` ended with ${status}`;
}
