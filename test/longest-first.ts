import { relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files that take half a minute or more on an idle machine, the longest first. One that began last would run on alone. */
const LONGEST = [
  "dashboard/screenshots.browser.test.ts",
  "dashboard/pages.browser.test.ts",
  "batches/run/crash.test.ts",
  "test/crash.test.ts",
  "test/batch-e2e.test.ts",
  "test/redis-groups.test.ts",
  "cli/commands/service/conformance.test.ts",
  "test/troubled-redis.test.ts",
  "dashboard/steady.browser.test.ts",
  "dashboard/night.browser.test.ts",
  "test/new-verb.test.ts",
  "batches/steering.test.ts",
  "test/keys.test.ts",
];

/** Begins with the longest files, also where no earlier run says which those are. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const at = LONGEST.indexOf(relative(this.ctx.config.root, moduleId));
      return at === -1 ? LONGEST.length : at;
    };
    // oxlint-disable-next-line unicorn/no-array-sort -- it is no array
    const sorted = await super.sort(files);
    return sorted.toSorted((one, other) => place(one) - place(other));
  }
}
