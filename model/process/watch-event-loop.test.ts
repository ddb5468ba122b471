import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

const file = join(import.meta.dirname, "watch-event-loop.ts");

/** A process whose loop runs for a while, then hangs for `hangMs`, and comes back. */
function hang(hangMs: number): string {
  const script = `
    import { watchEventLoop } from ${JSON.stringify(file)};
    const stop = watchEventLoop({ afterMs: 300, onRecovered: (ms) => console.log("back after " + (ms >= ${hangMs})) });
    setTimeout(() => {
      const end = Date.now() + ${hangMs};
      while (Date.now() < end);
      console.log("still in the same turn");
    }, 400);
    setTimeout(() => void stop(), ${hangMs + 900});`;
  return execFileSync(process.execPath, ["--input-type=module", "--eval", script], {
    encoding: "utf8",
    timeout: 30_000,
  });
}

test("a blocked event loop is reported while it hangs, and again when it is back", () => {
  const lines = hang(1500).trim().split("\n");
  expect(lines).toHaveLength(3);
  const told = JSON.parse(lines[0] ?? "") as { level: number; blockedMs: number; msg: string };
  expect(told).toMatchObject({ level: 50, msg: expect.stringContaining("event loop is blocked") as string });
  expect(told.blockedMs).toBeGreaterThanOrEqual(300);
  expect(lines.slice(1)).toEqual(["still in the same turn", "back after true"]);
});

test("one that turns is not spoken of", () => {
  expect(hang(0).trim()).toBe("still in the same turn");
});
