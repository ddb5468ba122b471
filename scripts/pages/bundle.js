// Puts the scripts of the dashboard's pages into few and small files: on a slow network each file of its own costs a round trip.
// From source they are served one by one as they are, and the dashboard reads either (dashboard/page-assets.ts).
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { rolldown } from "rolldown";

/**
 * Writes `app.js`, `login.js`, `theme.js` and `views/*.js` under the names that pages load them by, and in `shared/` what several of them need.
 * What is loaded later than a page, such as uPlot, stays a file of its own.
 *
 * @param assets the folder with the scripts, `dashboard/pages/assets`
 * @param out where the files go
 */
export async function bundlePages(assets, out) {
  const views = readdirSync(join(assets, "views")).map((file) => `views/${file}`);
  const entries = ["app.js", "login.js", "theme.js", ...views];
  const input = Object.fromEntries(entries.map((file) => [file.slice(0, -".js".length), join(assets, file)]));
  const ofEveryPage = await modulesFrom(input.app);
  const bundle = await rolldown({ input, platform: "browser", onLog: refuseWarnings });
  await bundle.write({
    dir: out,
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: "shared/[name].js",
    minify: true,
    codeSplitting: {
      // Without groups each set of pages that have something in common would get a file of its own.
      groups: [
        { name: "app", test: (id) => ofEveryPage.has(id) && id !== input.app, priority: 1 },
        { name: "parts", test: (id) => id.startsWith(assets), minShareCount: 2 },
      ],
    },
  });
  await bundle.close();
}

/** Every module that loads with the given one, itself included. */
async function modulesFrom(entry) {
  const bundle = await rolldown({ input: entry, platform: "browser", onLog: refuseWarnings });
  const { output } = await bundle.generate({ format: "esm" });
  await bundle.close();
  return new Set(output[0].moduleIds);
}

function refuseWarnings(level, log) {
  if (level === "warn") throw new Error(`the pages' scripts: ${log.message}`);
}
