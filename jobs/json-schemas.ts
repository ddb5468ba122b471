import { z } from "zod";
import { activityNames, contracts } from "./contracts.ts";

/** JSON Schema (2020-12) of every input and result, for producers in other languages. File name to content. */
export function jsonSchemas(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const name of activityNames) {
    const { input, result, summary } = contracts[name];
    files.set(`${name}.input.json`, render(`${name} input`, summary, z.toJSONSchema(input, { io: "input" })));
    files.set(`${name}.result.json`, render(`${name} result`, summary, z.toJSONSchema(result, { io: "output" })));
  }
  return files;
}

const render = (title: string, description: string, schema: object): string =>
  `${JSON.stringify({ title, description, ...schema }, undefined, 2)}\n`;
