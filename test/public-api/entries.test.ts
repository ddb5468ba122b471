import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

type Manifest = { readonly exports: Record<string, unknown>; readonly typesVersions: { "*": Record<string, unknown> } };
const manifest = (path: string): Manifest =>
  JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), "utf8")) as Manifest; // ours

// `npm run client` compares the names that the built packages export, too.
test("every entry of the thin client is the same file of the same build in the main package, so that it has the same names", () => {
  const [main, client] = [manifest("package.json"), manifest("client/package.json")];
  expect(Object.keys(client.exports)).toEqual([".", "./jobs", "./documents", "./nestjs", "./package.json"]);
  expect(main.exports).toMatchObject(client.exports);
  expect(main.typesVersions["*"]).toMatchObject(client.typesVersions["*"]);
});
