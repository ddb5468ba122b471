/** `npm run test:faults [-- <part of a case's name>]`: the fault campaigns. Ends with 1 where a promise did not hold. */
import { runMoveFaults } from "./move.ts";

const startedAt = performance.now();
const { cases, failures, notStruck } = await runMoveFaults(process.argv[2]);
const seconds = Math.round((performance.now() - startedAt) / 1000);
for (const [step, count] of notStruck) console.log(`no request met the trouble: ${step}, ${count} cases`);
console.log(`move under fault: ${cases} cases, ${failures.length} failures, ${seconds} s`);
process.exitCode = failures.length === 0 ? 0 : 1;
