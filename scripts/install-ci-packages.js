// What CI needs beside what `npm test` sets up by itself: an S3 server that we did not write, and Python environments for generated clients. As root, on Debian or Ubuntu.
// Runs before the dependencies are there: Node's builtins only.
import { aptInstall } from "./apt-install.js";

const failed = aptInstall(["ceph-common", "ceph-mon", "ceph-osd", "radosgw", "python3-venv"], {
  services: ["ceph.target"],
});
if (failed) {
  process.stderr.write(`${failed}\n`);
  process.exitCode = 1;
}
