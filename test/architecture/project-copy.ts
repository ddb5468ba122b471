import { cp, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

const root = join(import.meta.dirname, "../..");
const OURS =
  /^(model|redis|credentials|s3|documents|jobs|batches|producer|worker|dashboard|cli|sandbox|test|package\.json|tsconfig\.json)$/;

/** A copy of the project, without its tests' results and packages, which are linked. */
export async function copyProject(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "bucketline-copy-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const names = (await readdir(root)).filter((name) => OURS.test(name));
  await Promise.all(names.map((name) => cp(join(root, name), join(folder, name), { recursive: true })));
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  return folder;
}
