import type { z } from "zod";
import { ActivityError } from "../model/activity-error.ts";
import { didYouMean } from "../model/closest-name.ts";
import { expectation, shapeOf } from "../model/problems/expectation.ts";
import { issuesOf, valueAt } from "./meant-branch.ts";
import { unknownFields } from "./unknown-fields.ts";
import { type ActivityName, activityNames, findContract, type Contract } from "./contracts.ts";

/** Fields whose values are or may be secrets: an error tells their shape alone. */
const HIDDEN = /(^|\.)(credentials|metadata|tags|encryption|documents)(\.|$)/;

/** Longer values are cut in messages. */
const SHOWN_CHARACTERS = 60;

/** How many wrong fields a message names. */
const SHOWN_ISSUES = 5;

/** The contract of an activity. Throws `UnknownActivity`, which names all there are. */
export function contractOf(activity: string): Contract & { readonly name: ActivityName } {
  const contract = findContract(activity);
  if (contract === undefined)
    throw new ActivityError(
      "UnknownActivity",
      `expected one of ${activityNames.join(", ")}; got ${shown(activity)}${didYouMean(activity, activityNames)}`,
      { field: "activity" },
    );
  return contract as Contract & { readonly name: ActivityName }; // it was found among the activities' names
}

/** The input of an activity as it is sent. Throws `InvalidInput`, whose `field` is the first wrong one. */
export function parseInput<Input extends z.ZodType>(
  contract: Contract<string, Input>,
  input: unknown,
): z.output<Input> {
  const parsed = contract.input.safeParse(input, { error: unknownFields });
  if (parsed.success) return parsed.data;
  throw invalid(contract.name, parsed.error, input);
}

/** Parses what a caller passed besides an input: options, schedules. Throws `InvalidInput`. */
export function parseOptions<Schema extends z.ZodType>(what: string, schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value, { error: unknownFields });
  if (parsed.success) return parsed.data;
  throw invalid(what, parsed.error, value);
}

/** One sentence on all that is wrong with a value that was parsed with {@link unknownFields}: each field, what was expected there, what was got. */
export function invalid(what: string, error: z.ZodError, value: unknown): ActivityError {
  const problems = issuesOf(error, value).map((issue) => problem(issue, value));
  const listed = problems.slice(0, SHOWN_ISSUES).map(({ text }) => text);
  if (problems.length > SHOWN_ISSUES) listed.push(`and ${problems.length - SHOWN_ISSUES} more`);
  const field = problems[0]?.field;
  return new ActivityError(
    "InvalidInput",
    `${what}: ${listed.join("; ")}`,
    field === undefined || field === "" ? {} : { field },
  );
}

function problem(issue: z.core.$ZodIssue, value: unknown): { readonly field: string; readonly text: string } {
  const place = pathOf(issue.path);
  const at = (text: string) => (place === "" ? text : `${place}: ${text}`);
  if (issue.code === "unrecognized_keys")
    return { field: pathOf([...issue.path, issue.keys[0] ?? ""]), text: at(issue.message.replaceAll("\n", "; ")) };
  const got = valueAt(value, issue.path);
  return { field: place, text: at(`${expected(issue)}, got ${HIDDEN.test(place) ? shapeOf(got) : shown(got)}`) };
}

function expected(issue: z.core.$ZodIssue): string {
  // A union with a sentence of its own says more than its forms do.
  if (issue.code === "invalid_union" && issue.errors.length > 0 && issue.message === "Invalid input") {
    const branches = issue.errors.map((issues) => (issues[0] === undefined ? "" : branchText(issues[0])));
    return [...new Set(branches)].filter((text) => text !== "").join(" or ");
  }
  // What was got is added here, cut and hidden where it has to be.
  return expectation(issue).replace(/, got .*$/s, "");
}

function branchText(issue: z.core.$ZodIssue): string {
  const field = pathOf(issue.path);
  const text = issue.code === "unrecognized_keys" ? "expected no other fields" : expected(issue);
  return field === "" ? text : `${field}: ${text}`;
}

function pathOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    return text === "" ? String(part) : `${text}.${String(part)}`;
  }, "");
}

function shown(value: unknown): string {
  if (typeof value === "string") {
    const cut = value.length > SHOWN_CHARACTERS ? `${value.slice(0, SHOWN_CHARACTERS)}...` : value;
    return JSON.stringify(cut);
  }
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint") return String(value);
  return shapeOf(value);
}
