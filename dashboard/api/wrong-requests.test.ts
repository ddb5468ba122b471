import { expect, test } from "vitest";
import { startDashboardHarness } from "../../test/dashboard-harness.ts";

type Parameter = { readonly name: string; readonly in: string; readonly required: boolean };
type Operation = {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Record<string, unknown> };
};

/** In no form that a parameter has. */
const WRONG = "\u0001 ~";
/** zod's own words: they name no parameter, and speak of a type where something is missing. */
const NOT_PLAIN = /received|Invalid|Too (?:small|big)|undefined|NaN/;

type Told = { readonly status: number; readonly text: string };

/** What is wrong with how a wrong field was refused. */
function problemsOf({ status, text }: Told, field: string): readonly string[] {
  const { detail, errors = [{ field }] } = JSON.parse(text) as { detail: string; errors?: { field: string }[] };
  const rules = {
    "status 422": status === 422,
    "what was expected": /expected|unknown field/.test(detail),
    "plain words": !NOT_PLAIN.test(detail),
    "no value repeated": !text.includes("~"),
    "the field by its name": errors.some((error) => error.field === field),
  };
  return Object.entries(rules).flatMap(([rule, holds]) => (holds ? [] : [`${field}: ${rule}, got ${text}`]));
}

test("every wrong or missing parameter and body is named, with what was expected there", async () => {
  const dashboard = await startDashboardHarness();
  try {
    const { paths } = (await dashboard.send("/api/openapi.json")).json() as unknown as {
      paths: Record<string, Record<string, Operation>>;
    };
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
    );
    let looked = 0;
    const problems: string[] = [];
    for (const { path, method, parameters = [], requestBody } of operations) {
      const url = path.replace("{activity}", "list-buckets").replaceAll(/\{\w+\}/g, "none");
      // The reason is looked at when all else is right (see the tests of the audit).
      const queries = parameters.filter((one) => one.in === "query" && one.name !== "reason");
      const json = requestBody?.content["application/json"] !== undefined;
      const send = (query: string, body?: unknown) =>
        dashboard.send(`${url}${query}`, { method: method.toUpperCase(), body });
      const look = (field: string, told: Told) => {
        looked += 1;
        problems.push(...problemsOf(told, field).map((problem) => `${method} ${url}: ${problem}`));
      };
      for (const { name } of queries) {
        const told = await send(`?${name}=${encodeURIComponent(WRONG)}`, json ? {} : undefined);
        // Free text takes anything, and what is not there is not asked how.
        if (![200, 404].includes(told.status)) look(name, told);
      }
      for (const { name } of queries.filter(({ required }) => required)) look(name, await send(""));
      // Where the path names nothing, that is said first.
      if (json && !url.includes("/none")) for (const body of [3, []]) look("body", await send("", body));
    }
    expect(problems).toEqual([]);
    expect(looked).toBeGreaterThan(50);
  } finally {
    await dashboard.close();
  }
});
