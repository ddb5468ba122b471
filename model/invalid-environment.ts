import { ActivityError } from "./activity-error.ts";

/** One error for all that is wrong with the variables of an environment, each with its name and what was expected. */
export function invalidEnvironment(problems: readonly string[]): ActivityError {
  const count = problems.length === 1 ? "a problem" : `${problems.length} problems`;
  const lines = problems.map((problem) => `\n  - ${problem}`).join("");
  return new ActivityError("InvalidConfiguration", `the environment has ${count}:${lines}`);
}
