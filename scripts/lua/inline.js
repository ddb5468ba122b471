// Puts the texts of Lua scripts into the built JavaScript that runs them. A file beside a module is lost as soon as an app is bundled: webpack and
// turbopack take `new URL("x.lua", import.meta.url)` for an asset of theirs, and esbuild leaves it pointing beside its own file.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** A script's URL; those in comments are examples. */
const SCRIPT = /(?<!^ \* .*)\bnew URL\("(\.[^"]+\.lua)", import\.meta\.url\)/gm;
const READ = "redis/scripts/read.js";

/**
 * @param root the sources
 * @param dist what tsc made of them
 * @throws Error where the code loads a script that it does not name in full, so that it would be looked for at run time
 */
export async function inlineScripts(root, dist) {
  const { readScript } = await import(pathToFileURL(join(dist, READ)).href);
  for (const file of readdirSync(dist, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".js"))) {
    const text = readFileSync(join(dist, file), "utf8");
    const source = pathToFileURL(join(root, file));
    const built = text.replaceAll(SCRIPT, (_, path) => JSON.stringify(readScript(new URL(path, source))));
    if (/^(?! \*).*\bloadScript\((?!\s*(\{"name"|file, declared))/m.test(built))
      throw new Error(
        `${file}: expected loadScript(new URL("./name.lua", import.meta.url), ...), with the name written out`,
      );
    if (built !== text) writeFileSync(join(dist, file), built);
  }
  writeFileSync(
    join(dist, READ),
    "/** The build has put the texts where the sources name a file. */\nexport const readScript = (texts) => texts;\n",
  );
}
