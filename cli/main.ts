#!/usr/bin/env node
// oxlint-disable-next-line import/no-unassigned-import -- it ends what an old Node could not run, and exports nothing
import "../model/exit-on-old-node.ts";
import module from "node:module";
import { assureHome } from "../model/process/assure-home.ts";
import { endWithParent } from "../model/process/end-with-parent.ts";
import { EXIT } from "./usage-exit.ts";

// Whoever reads has enough, as in `bucketline ls | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? EXIT.fine : EXIT.problem);
});

endWithParent({ npmCommand: process.env["npm_command"] });
assureHome(process.env);

// Compiled code is kept in the folder of temporary files, for the next command; before what is worth it is loaded. Not imported by its name: an
// old Node lacks it, and would say so before the line above says what is needed.
module.enableCompileCache();
const { runProgram } = await import("./program.ts");

await runProgram(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  terminal: process.stdout.isTTY,
});
