import { jobMutants } from "./job-mutants.ts";
import { s3Mutants } from "./s3-mutants.ts";

/** One safety rule, and the change that takes it out of the code. */
export type Mutant = {
  /** The rule, as a sentence about behaviour. */
  readonly rule: string;
  readonly file: string;
  /** Text that is in the file once. */
  readonly find: string;
  readonly replace: string;
  /** The test file that turns red without the rule. */
  readonly test: string;
};

/** Every safety rule that must not go unnoticed. A new rule gets a line here, and a test. */
export const mutants: readonly Mutant[] = [...s3Mutants, ...jobMutants];
