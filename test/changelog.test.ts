import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { nameUnreleased } from "../scripts/release/changelog.ts";

test("what is unreleased gets the version, beside what changesets wrote, and older versions stay", () => {
  const before =
    "# Changelog\n\n## 0.2.0\n\n### Minor Changes\n\n- 1a2b: Copies\n\n## Unreleased\n\n- Moves\n- Deletes\n\n## 0.1.0 (2026-01-01)\n\n- Lists\n";
  const after =
    "# Changelog\n\n## Unreleased\n\n## 0.2.0 (2026-11-27)\n\n### Minor Changes\n\n- 1a2b: Copies\n\n- Moves\n- Deletes\n\n## 0.1.0 (2026-01-01)\n\n- Lists\n";
  expect(nameUnreleased(before, "0.2.0", "2026-11-27")).toBe(after);
  expect(nameUnreleased("# Changelog\n\n## Unreleased\n\n- Lists\n", "0.1.0", "2026-11-27")).toBe(
    "# Changelog\n\n## Unreleased\n\n## 0.1.0 (2026-11-27)\n\n- Lists\n",
  );
});

test("the changelog has what is unreleased on top, below it each version once with its day, and the package's own", () => {
  const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
  const { version } = JSON.parse(read("package.json")) as { readonly version: string }; // our own
  const [first, ...versions] = [...read("CHANGELOG.md").matchAll(/^## (.*)$/gm)].map(([, heading = ""]) => heading);
  expect(first).toBe("Unreleased");
  for (const heading of versions) expect(heading).toMatch(/^\d+\.\d+\.\d+ \(\d{4}-\d\d-\d\d\)$/);
  const names = versions.map((heading) => heading.split(" ", 1)[0]);
  expect(names[0]).toBe(version);
  expect(new Set(names).size).toBe(names.length);
});
