import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { nodeProblem } from "./supported-node.ts";

test.each(["18.19.0", "20.20.2", "21.7.3", "22.12.0", "23.11.0", "25.1.0"])(
  "Node %s is told in one line what is needed",
  (version) => {
    expect(nodeProblem(version)).toMatch(/^Bucketline needs Node 22\.22 [^\n]*this is Node \d+[^\n]*$/);
  },
);

test.each(["22.22.0", "24.0.0", "24.21.0", "26.0.0", "27.1.0"])("Node %s is fine", (version) => {
  expect(nodeProblem(version)).toBeUndefined();
});

// Modules are run in the order of their imports: what stands first speaks before anything fails.
test.each([
  ["producer/index.ts", "require-node"],
  ["worker/index.ts", "require-node"],
  ["sandbox/index.ts", "require-node"],
  ["worker/main.ts", "exit-on-old-node"],
  ["dashboard/main.ts", "exit-on-old-node"],
  ["cli/main.ts", "exit-on-old-node"],
])("%s looks at the version of Node before all else", (path, guard) => {
  const text = readFileSync(join(import.meta.dirname, "..", path), "utf8");
  const first = /^(?:import|export)\b[^;]*?"([^"]+)"/m.exec(text)?.[1];
  expect(first).toMatch(new RegExp(`/${guard}\\.ts$`));
});
