/** The Node versions that Bucketline runs on: the `engines` of package.json, in words. */
const EXPECTED = "Node 22.22 or newer of 22, 24, or 26 and newer";

/**
 * Why Bucketline cannot run on this version of Node, as one line; `undefined` where it can. Older versions lack what the AWS SDK and
 * this code use, and would fail later with an error that does not say so.
 * @param version as in `process.versions.node`
 */
export function nodeProblem(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const fine = (major === 22 && minor >= 22) || major === 24 || major >= 26;
  return fine ? undefined : `Bucketline needs ${EXPECTED}; this is Node ${version} (${process.execPath})`;
}
