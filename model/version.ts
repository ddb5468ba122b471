import { createRequire } from "node:module";

/** The version of this package, for logs, metrics and the overview: which of several runs where is asked first when they behave differently. */
export const VERSION: string = readVersion();

function readVersion(): string {
  const { version } = createRequire(import.meta.url)("bucketline/package.json") as { version: string }; // ours
  return version;
}
