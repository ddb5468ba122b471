// Puts of a package what a producer needs into one file, for @bucketline/client: installed as a package, BullMQ brings a PostgreSQL backend, a library of
// calendars and two copies of itself, 13 MiB, of which a producer uses two names. As CommonJS, so that an app's bundler sees what it requires.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rolldown } from "rolldown";

const ENTRY = "package-for-producers";
/** What BullMQ loads only where an app has it, and the client's own dependency. */
const OUTSIDE = ["ioredis", "msgpackr-extract", "pg", "@valkey/valkey-glide"];
const PACKAGE = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/;

/**
 * Writes NAME.cjs, and the licences of all that is in it beside it.
 *
 * @param name the package
 * @param names what is taken of it
 * @param folder where the files go
 */
export async function bundlePackage(name, names, folder) {
  const entry = {
    name: "entry",
    resolveId: (id) => (id === ENTRY ? id : undefined),
    load: (id) => (id === ENTRY ? `export { ${names.join(", ")} } from "${name}";` : undefined),
  };
  const bundle = await rolldown({ input: ENTRY, platform: "node", external: OUTSIDE, plugins: [entry] });
  const { output } = await bundle.write({
    file: join(folder, `${name}.cjs`),
    format: "cjs",
    minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
  });
  await bundle.close();
  if (output.length !== 1)
    throw new Error(`expected one file of ${name}, got ${output.map((one) => one.fileName).join(", ")}`);
  const packages = new Set(output[0].moduleIds.flatMap((id) => PACKAGE.exec(id)?.[0] ?? []));
  writeFileSync(join(folder, `${name}.LICENSES.txt`), [...packages].toSorted().map(licenceOf).join("\n\n"));
}

function licenceOf(folder) {
  const { name, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
  if (file === undefined) throw new Error(`${name} has no licence to bring along`);
  return `${name} ${version}\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
}
