import { createHash } from "node:crypto";
import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { rolldown } from "rolldown";
import { expect, test } from "vitest";
import type { hashFile } from "./hash-thread.ts";

/** An app's own code beside ours, in one file. */
const APP = `import { appendFileSync } from "node:fs";
export { hashFile } from ${JSON.stringify(join(import.meta.dirname, "hash-thread.ts"))};
appendFileSync(new URL("starts", import.meta.url), "x");
`;

test("an app's bundle hashes, and is not started a second time for it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bucketline-bundle-"));
  try {
    await writeFile(join(folder, "app.ts"), APP);
    const bundle = await rolldown({ input: join(folder, "app.ts"), platform: "node" });
    await bundle.write({ file: join(folder, "app.mjs"), format: "esm" });
    await bundle.close();
    const app = (await import(pathToFileURL(join(folder, "app.mjs")).href)) as { readonly hashFile: typeof hashFile };
    const bytes = Buffer.alloc(3 * 1024 ** 2 + 5, "of a file");
    await writeFile(join(folder, "bytes"), bytes);
    await using file = await open(join(folder, "bytes"));
    const hash = app.hashFile(file.fd, [{ algorithm: "sha256" }, { algorithm: "md5" }]);
    hash.upTo(bytes.length);
    const digest = (kind: string) => createHash(kind).update(bytes).digest("hex");
    expect(await hash.digests()).toEqual([digest("sha256"), digest("md5")]);
    await hash.close();
    expect(await readFile(join(folder, "starts"), "utf8")).toBe("x");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
