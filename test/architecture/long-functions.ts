import { type parseSync, Visitor } from "oxc-parser";

/** Past it a function has more than one owner. */
const MAX_LINES = 60;

export type LongFunction = { readonly line: number; readonly lines: number };

/** Functions of more lines than one takes in. What `describe` is given is a list of tests, and not counted. */
export function longFunctionsOf(
  program: ReturnType<typeof parseSync>["program"],
  text: string,
  lineOf: (offset: number) => number,
): readonly LongFunction[] {
  const found: LongFunction[] = [];
  const lists = new Set<number>();
  const measure = ({ start, end }: { readonly start: number; readonly end: number }) => {
    const lines = lineOf(end) - lineOf(start) + 1;
    if (lines > MAX_LINES && !lists.has(start)) found.push({ line: lineOf(start), lines });
  };
  new Visitor({
    CallExpression: ({ callee, arguments: given }) => {
      if (/^describe\b/.test(text.slice(callee.start, callee.end))) for (const { start } of given) lists.add(start);
    },
    FunctionDeclaration: measure,
    FunctionExpression: measure,
    ArrowFunctionExpression: measure,
  }).visit(program);
  return found;
}
