// Imported first by every program: an old Node is told in one line, without a stack, and the exit code is 1.
import { nodeProblem } from "./supported-node.ts";

const problem = nodeProblem(process.versions.node);
if (problem !== undefined) {
  process.stderr.write(`${problem}\n`);
  process.exit(1);
}
