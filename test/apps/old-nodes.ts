import { join } from "node:path";
import { command } from "../clients/command.ts";
import type { Packed } from "./packed.ts";

const NODES = ["18.20.8", "20.19.5", "22.11.0"];
const ENTRIES = ["", "/worker", "/documents", "/dashboard", "/sandbox"].map((entry) => `bucketline${entry}`);
const EXPECTED = /^Bucketline(?:'s sandbox)? needs Node [^\n]+; this is Node [\d.]+[^\n]*$/;

/** Imports and requires every entry, and runs the command line, on Nodes that are too old. */
export async function oldNodes({ main, install }: Packed): Promise<string> {
  const cwd = await install("old", [main]);
  for (const version of NODES) {
    const node = join(await install(`node-${version}`, [`node@${version}`]), "node_modules/node/bin/node");
    const say = "(error) => console.log(error.message)";
    const told = async (args: readonly string[]) => {
      const said = await command(node, args, { cwd, timeout: 30_000 }).catch((error: Error) => error.message);
      const line = said
        .trim()
        .split("\n")
        .filter((each) => !each.startsWith(`${node} `))
        .join("\n");
      if (!EXPECTED.test(line)) throw new Error(`Node ${version}, ${args.join(" ")}: ${line.slice(0, 300)}`);
    };
    for (const entry of ENTRIES) {
      await told(["--input-type=module", "-e", `await import("${entry}").catch(${say})`]);
      await told(["-e", `try { require("${entry}") } catch (error) { (${say})(error) }`]);
    }
    for (const program of ["cli", "worker", "dashboard"])
      await told([`node_modules/bucketline/dist/${program}/main.js`]);
  }
  return `${NODES.join(", ")}; ${ENTRIES.length} entries imported and required, three programs`;
}
