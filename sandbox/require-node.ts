// The sandbox imports nothing of the other rooms, so that it can be used alone: this is its own look at the version of Node.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (!((major === 22 && minor >= 22) || major === 24 || major >= 26)) {
  throw new Error(
    `Bucketline's sandbox needs Node 22.22 or newer of 22, 24, or 26 and newer; this is Node ${process.versions.node}`,
  );
}
