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

test("every wrong or missing parameter and body is named, with what was expected there", async () => {
  const dashboard = await startDashboardHarness();
  try {
    const { paths } = (await dashboard.send("/api/openapi.json")).json() as unknown as {
      paths: Record<string, Record<string, Operation>>;
    };
    let looked = 0;
    for (const [path, methods] of Object.entries(paths))
      for (const [method, { parameters = [], requestBody }] of Object.entries(methods)) {
        const url = path.replace("{activity}", "list-buckets").replaceAll(/\{\w+\}/g, "none");
        // The reason is looked at when all else is right (see the tests of the audit).
        const queries = parameters.filter((one) => one.in === "query" && one.name !== "reason");
        const json = requestBody?.content["application/json"] !== undefined;
        const send = async (query: string, body?: unknown) => {
          const answer = await dashboard.send(`${url}${query}`, { method: method.toUpperCase(), body });
          return { status: answer.status, text: answer.text };
        };
        const told = async (field: string, { status, text }: { readonly status: number; readonly text: string }) => {
          looked += 1;
          const { detail, errors } = JSON.parse(text) as { detail: string; errors?: { field: string }[] };
          const where = `${method} ${url}, ${field}: ${text}`;
          expect(status, where).toBe(422);
          expect(detail, where).toMatch(/expected|unknown field/);
          expect(detail, where).not.toMatch(NOT_PLAIN);
          expect(text, where).not.toContain("~");
          if (errors !== undefined)
            expect(
              errors.map((one) => one.field),
              where,
            ).toContain(field);
        };
        for (const { name } of queries) {
          const { status, text } = await send(`?${name}=${encodeURIComponent(WRONG)}`, json ? {} : undefined);
          // Free text takes anything, and what is not there is not asked how.
          if (status === 422) await told(name, { status, text });
          else expect([method, url, name, [200, 404].includes(status)]).toEqual([method, url, name, true]);
        }
        for (const { name } of queries.filter(({ required }) => required)) await told(name, await send(""));
        // Where the path names nothing, that is said first.
        if (json && url === path.replace("{activity}", "list-buckets"))
          for (const body of [3, []]) await told("body", await send("", body));
      }
    expect(looked).toBeGreaterThan(50);
  } finally {
    await dashboard.close();
  }
});
