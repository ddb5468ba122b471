import { spawnSync } from "node:child_process";
import { aptInstall } from "./apt-install.js";
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
  if (failed || !hasServer()) {
    throw new Error(`Redis could not be installed: ${failed ?? "it is not on the PATH"}.\n${CHOICES}`);
  }
  process.stdout.write("setup: redis-server is installed; it does not run as a service\n");
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
  return aptInstall(["redis-server"], { services: ["redis-server"] });
}

function installWithBrew() {
  process.stdout.write("installing redis with brew ...\n");
  const { status, error } = spawnSync("brew", ["install", "--quiet", "redis"], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (error) return `brew: ${error.message}`;
  return status === 0 ? undefined : `brew ended with ${status}`;
}
