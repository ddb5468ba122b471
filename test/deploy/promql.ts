import type { Family } from "./exposition.ts";

export type Selector = {
  readonly name: string;
  readonly matchers: readonly { readonly label: string; readonly operator: string; readonly value: string }[];
};

/** Labels that Prometheus or the operator adds to every series. */
const TARGET_LABELS = ["job", "instance", "pod", "namespace"];

/** The series that an expression of PromQL asks for. */
export function selectorsOf(expression: string): readonly Selector[] {
  const bare = expression.replace(/\$\w+/g, "x");
  return [...bare.matchAll(/\b((?:bucketline|process|nodejs)_\w+|up)\b(?:\{([^}]*)\})?/g)].map(
    ([, name = "", body = ""]) => ({
      name,
      matchers: [...body.matchAll(/(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"/g)].map(
        ([, label = "", operator = "", value = ""]) => ({ label, operator, value }),
      ),
    }),
  );
}

/** What in an expression no page of metrics has: names, labels, and values of the labels that have few. */
export function missing(expression: string, families: ReadonlyMap<string, Family>): readonly string[] {
  return selectorsOf(expression).flatMap(({ name, matchers }) => {
    if (name === "up") return [];
    const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ""));
    const isPart = family?.type === "histogram" || family?.type === "summary";
    if (family === undefined || (family.name !== name && !isPart)) return [`there is no metric ${name}`];
    return matchers.flatMap((matcher) => {
      const { label } = matcher;
      if (TARGET_LABELS.includes(label)) return [];
      const values = new Set(family.samples.map(({ labels }) => labels[label]));
      if (values.has(undefined)) return [`${name} has no label ${label}`];
      return FEW.includes(label)
        ? absentValues(matcher)
            .filter((value) => !values.has(value))
            .map(noValue)
        : [];
      function noValue(value: string): string {
        return `${name} has no series with ${label}="${value}"`;
      }
    });
  });
}

/** Labels whose values are all to be seen in a short run. */
const FEW = ["outcome", "state", "activity", "path"];

/** The values that a matcher names one by one. */
function absentValues({ operator, value }: Selector["matchers"][number]): readonly string[] {
  const words = operator.endsWith("~") ? value.split("|") : [value];
  return words.every((word) => /^[\w-]+$/.test(word)) && value !== "x" ? words : [];
}
