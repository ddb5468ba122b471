import { z } from "zod";
import { didYouMean } from "../model/closest-name.ts";

/** How much of a name is shown. */
const SHOWN_CHARACTERS = 60;

/**
 * For `schema.safeParse(value, { error: unknownFields })`: what a strict object says of fields that it does not have names those that were
 * probably meant, `unknown field "buckett"; did you mean bucket?`, a line for each. All else keeps its message.
 */
export const unknownFields: z.core.$ZodErrorMap = (issue) => {
  if (issue.code !== "unrecognized_keys") return undefined;
  const known = fieldsOf(issue.inst).filter((name) => !isGiven(issue.input, name));
  return issue.keys.map((key) => `unknown field ${shown(key)}${didYouMean(key, known)}`).join("\n");
};

/** What {@link unknownFields} said of each, for whoever names the field beside it: `unknown field; did you mean bucket?`. */
export function eachUnknownField({ keys, message }: z.core.$ZodIssueUnrecognizedKeys) {
  const said = message.split("\n");
  return keys.map((key, index) => ({ key, message: (said[index] ?? "unknown field").replace(` ${shown(key)}`, "") }));
}

/** The fields of the object that complained, without those that another form alone may have. */
function fieldsOf(schema: z.core.$ZodRawIssue["inst"]): readonly string[] {
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape).flatMap(([name, field]) =>
    field instanceof z.ZodOptional && field.unwrap() instanceof z.ZodNever ? [] : [name],
  );
}

/** What is there already was not what was meant. */
function isGiven(input: unknown, name: string): boolean {
  return typeof input === "object" && input !== null && Object.hasOwn(input, name);
}

function shown(key: string): string {
  return JSON.stringify(key.length > SHOWN_CHARACTERS ? `${key.slice(0, SHOWN_CHARACTERS)}...` : key);
}
