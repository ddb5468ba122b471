// What CI needs beside Node: as root, on Debian or Ubuntu. Runs before the dependencies are there: Node's builtins only.
import { aptInstall } from "./apt-install.js";

/** An S3 server that we did not write. */
const CEPH = ["ceph-common", "ceph-mon", "ceph-osd", "radosgw"];
/** The browser that looks at the dashboard's pages. */
const BROWSER = ["chromium"];

const packages = ["python3", "redis-server", ...CEPH, ...BROWSER];
const failed = aptInstall(packages, { services: ["redis-server", "ceph.target"] });
if (failed) {
  process.stderr.write(`${failed}\n`);
  process.exitCode = 1;
}
