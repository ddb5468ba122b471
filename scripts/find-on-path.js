import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** The first executable of that name on the PATH that `accept` takes, or undefined. */
export function findOnPath(name, accept = () => true) {
  for (const directory of (process.env.PATH ?? "").split(delimiter)) {
    const path = join(directory || ".", name);
    if (accept(path) && isExecutable(path)) return path;
  }
  return undefined;
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false; // absent, or not ours to run
  }
}
