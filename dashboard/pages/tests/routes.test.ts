import { expect, test } from "vitest";
import { PAGES as SERVED } from "../../pages.ts";
import { findRoute, PAGES } from "../assets/core/routes.js";

test("the server and the script know the same pages", () => {
  expect(Object.fromEntries(PAGES.map(([path, view]) => [path, view]))).toEqual(SERVED);
});

test("finds a page with what its address says, the special before the general", () => {
  expect(findRoute("/batches/new")).toMatchObject({ view: "batch-form", params: {} });
  expect(findRoute("/batches/b1/")).toMatchObject({ view: "batch", params: { id: "b1" } });
  expect(findRoute("/jobs/copy-object/a%2Fb%20c")).toMatchObject({ view: "job", params: { id: "a/b c" } });
  expect(findRoute("/jobs/copy-object", "?page=3")?.query.get("page")).toBe("3");
});

test("an escape that is none stays as it was typed, and an address that leads nowhere has no page", () => {
  expect(findRoute("/batches/%zz")).toMatchObject({ params: { id: "%zz" } });
  expect([findRoute("/nowhere"), findRoute("/batches//"), findRoute("/jobs/a/b/c")]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});
