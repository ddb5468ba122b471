// Imported first by what apps load (producer, worker, sandbox): an old Node is told in one line, before anything fails of it.
import { nodeProblem } from "./supported-node.ts";

const problem = nodeProblem(process.versions.node);
if (problem !== undefined) throw new Error(problem);
