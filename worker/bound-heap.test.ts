import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

const MIB = 1024 ** 2;

/** The young generation's size in bytes at most, in a process that makes garbage for two seconds of its processor's time. */
function youngAtMost(begin: string, options: readonly string[] = []): number {
  const program = `
    import { getHeapSpaceStatistics } from "node:v8";
    import { boundHeap } from ${JSON.stringify(join(import.meta.dirname, "bound-heap.ts"))};
    ${begin};
    const kept = [];
    let at = 0;
    let most = 0;
    while (process.cpuUsage().user < 2_500_000) {
      await new Promise((resolve) => setImmediate(resolve));
      for (let index = 0; index < 2000; index++) kept[at++ % 50_000] = { index, text: String(index) };
      most = Math.max(most, getHeapSpaceStatistics().find((space) => space.space_name === "new_space").space_size);
    }
    console.log(most);`;
  return Number(
    execFileSync(process.execPath, [...options, "--input-type=module", "-e", program], { encoding: "utf8" }),
  );
}

test("the young generation stops growing where more of it makes a worker no faster", () => {
  expect(youngAtMost("")).toBeGreaterThan(100 * MIB);
  expect(youngAtMost("boundHeap(process)")).toBeLessThan(80 * MIB);
}, 30_000);

test("whoever chose a size keeps it", () => {
  expect(youngAtMost("boundHeap(process)", ["--semi-space-growth-factor=2"])).toBeGreaterThan(100 * MIB);
}, 30_000);
