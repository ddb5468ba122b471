import type { Mutant } from "./change.ts";
import { batchMutants } from "./batches.ts";
import { figureMutants } from "./figures.ts";
import { jobMutants } from "./jobs.ts";
import { s3Mutants } from "./s3.ts";
import { doorMutants } from "./doors.ts";
import { secretMutants } from "./secrets.ts";
import { securityMutants } from "./security.ts";

/** Every safety rule that must not go unnoticed. A new rule gets a line here, and a test. */
export const mutants: readonly Mutant[] = [
  ...s3Mutants,
  ...jobMutants,
  ...securityMutants,
  ...secretMutants,
  ...doorMutants,
  ...batchMutants,
  ...figureMutants,
];
