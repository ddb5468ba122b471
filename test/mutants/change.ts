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
