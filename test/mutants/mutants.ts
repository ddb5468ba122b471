import type { Mutant } from "./mutant.ts";
import { batchMutants } from "./batch-mutants.ts";
import { jobMutants } from "./job-mutants.ts";
import { s3Mutants } from "./s3-mutants.ts";
import { securityMutants } from "./security-mutants.ts";

/** Every safety rule that must not go unnoticed. A new rule gets a line here, and a test. */
export const mutants: readonly Mutant[] = [...s3Mutants, ...jobMutants, ...securityMutants, ...batchMutants];
