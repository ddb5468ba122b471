import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** The tour's folder, empty, with its profiles in it. Whoever could write there could name other stores: it is its owner's alone. */
export async function makeFolder(
  cwd: string,
  profiles: object,
): Promise<{ readonly folder: string; readonly profiles: string }> {
  const folder = join(cwd, ".bucketline", "tour");
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, "profiles.json");
  await writeFile(file, JSON.stringify(profiles, undefined, 2), { mode: 0o600 });
  return { folder, profiles: file };
}
