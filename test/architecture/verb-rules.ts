import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseSync, Visitor } from "oxc-parser";

/** Where a batch's verbs may be told apart by name. */
const HOME = /^batches\/operations(\.ts$|\/)/;
/** Tests, benches and examples ask for verbs; so do the commands that are named after one, in what they send. */
const ASKS = /^(test|bench|examples|scripts)\/|\.test\.ts$/;

/**
 * Places that ask which verb a batch has, or list the verbs, instead of reading a verb's properties: a new verb would have to be added there.
 *
 * @param paths of files of TypeScript and of the pages' JavaScript, from `root`
 */
export function verbProblems(root: string, paths: readonly string[], verbs: readonly string[]): readonly string[] {
  return paths
    .filter((path) => !HOME.test(path) && !ASKS.test(path))
    .flatMap((path) => verbProblemsOf(path, readFileSync(join(root, path), "utf8"), verbs));
}

export function verbProblemsOf(path: string, text: string, verbs: readonly string[]): readonly string[] {
  const problems: string[] = [];
  const isVerb = (node: { type: string; value?: unknown }): boolean =>
    node.type === "Literal" && verbs.includes(String(node.value));
  const asks = (source: string): boolean => /\boperation\b|\bverb\b/.test(source);
  const tell = (start: number, what: string) => {
    const line = text.slice(0, start).split("\n").length;
    problems.push(`${path}:${line} ${what}; read a property of the verb instead (batches/operations/verb.ts)`);
  };
  new Visitor({
    BinaryExpression: ({ operator, left, right, start, end }) => {
      const compares = /^[!=]==?$/.test(operator) && (isVerb(left) || isVerb(right));
      if (compares && asks(text.slice(start, end))) tell(start, "compares the name of a verb");
    },
    SwitchStatement: ({ discriminant, cases, start }) => {
      const named = cases.some(({ test }) => test !== null && isVerb(test));
      if (named && asks(text.slice(discriminant.start, discriminant.end))) tell(start, "switches over names of verbs");
    },
    ArrayExpression: ({ elements, start }) => {
      // By themselves, or as the first of what is said of each.
      const firsts = elements.map((one) => (one?.type === "ArrayExpression" ? one.elements[0] : one));
      const listed = firsts.map((one) => (one?.type === "Literal" ? String(one.value) : undefined));
      if (verbs.every((verb) => listed.includes(verb))) tell(start, "lists the verbs");
    },
    ObjectExpression: ({ properties, start }) => {
      const keys = properties.map((one) =>
        one.type === "Property" && one.key.type === "Identifier" ? one.key.name : undefined,
      );
      if (verbs.every((verb) => keys.includes(verb))) tell(start, "has an entry for each verb");
    },
  }).visit(parseSync(path, text).program);
  return problems;
}
