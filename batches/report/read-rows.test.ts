import { expect, test } from "vitest";
import { csvLines } from "./read-rows.ts";
import type { ReportRow } from "./row.ts";

async function lines(...rows: readonly Partial<ReportRow>[]): Promise<readonly string[]> {
  const found: string[] = [];
  async function* all(): AsyncGenerator<ReportRow> {
    for (const row of rows) yield { bucket: "in", key: "a", status: "failed", ...row };
  }
  for await (const line of csvLines(all(), { header: false })) found.push(line.trim());
  return found;
}

test.each(["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1"])(
  "what a store says (%j) is no formula in a report",
  async (text) => {
    const [line = ""] = await lines({ message: text, versionId: text, code: text });
    expect(line).not.toMatch(/"[=+\-@\t\r＝]/);
    expect(line).toContain(`"'${text}"`);
  },
);

test("a key that begins like a formula is still that key to whoever decodes it", async () => {
  for (const key of ["=1+1", "-2+3", "@x", "+a"]) {
    const [line = ""] = await lines({ key });
    const [, encoded = ""] = line.split(",");
    expect(encoded).not.toMatch(/^"[=+\-@]/);
    expect(decodeURIComponent(encoded.slice(1, -1))).toBe(key);
  }
});

test("quotes are doubled, so that no field ends early", async () => {
  expect(await lines({ message: 'a","=1' })).toEqual(['"in","a","","failed","","","a"",""=1"']);
});
