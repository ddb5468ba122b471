// Writes .env with passwords for docker-compose.yml that nobody else knows, and shows the one to sign in with. Runs without node_modules.
import { createHash, randomBytes, scryptSync } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";

const root = new URL("../", import.meta.url);
const env = new URL(".env", root);
if (existsSync(env)) {
  console.error(
    ".env is there already; remove it to get new passwords (and the volumes redis and objects, which know the old ones)",
  );
  process.exit(1);
}
const secret = (bytes = 24) => randomBytes(bytes).toString("base64url");
const password = secret(12);
const salt = randomBytes(16);
// As `bucketline dashboard hash-password` makes it.
const key = scryptSync(password, salt, 32, { N: 2 ** 15, r: 8, p: 3, maxmem: 256 * 2 ** 15 * 8 });
const token = `bl_${secret(32)}`;
const lines = {
  REDIS_PASSWORD: secret(),
  S3_ACCESS_KEY: `bucketline-${secret(6)}`,
  S3_SECRET_KEY: secret(),
  DASHBOARD_USERS: `bucketline:operator:scrypt.15.8.3.${salt.toString("base64url")}.${key.toString("base64url")}`,
  DASHBOARD_TOKENS: `prometheus:viewer:${createHash("sha256").update(token).digest("hex")}`,
};
const text = Object.entries(lines).map(([name, value]) => `${name}=${value}\n`);
writeFileSync(env, text.join(""), { mode: 0o600 });
// Prometheus shows it; the container's user has to read it.
writeFileSync(new URL("deploy/prometheus/dashboard-token", root), token, { mode: 0o644 });
console.log(`.env is written. Dashboard: http://127.0.0.1:8420/, user bucketline, password ${password}`);
