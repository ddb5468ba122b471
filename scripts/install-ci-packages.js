// What CI needs beside what `npm test` sets up by itself: an S3 server that we did not write, and the compiler of Lua. As root, on Debian or Ubuntu.
// Runs before the dependencies are there: Node's builtins only.
import { aptInstall } from "./apt-install.js";

const failed = aptInstall(["ceph-common", "ceph-mon", "ceph-osd", "radosgw", "lua5.1"], { services: ["ceph.target"] });
if (failed) {
  process.stderr.write(`${failed}\n`);
  process.exitCode = 1;
}
