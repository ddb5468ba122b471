import type { Sandbox } from "../../../sandbox/index.ts";
import type { ReportRow } from "../../../batches/report/row.ts";

/** What somebody wrote and did not give up. It is looked for in the store itself, whatever jobs and batches say of it. */
export type Ledger = {
  /** Writes an object of an hour ago: bytes that nobody else writes, unless they are given. */
  write(bucket: string, key: string, content?: string): void;
  /** Writes the same bytes anew, with metadata that must not be lost. */
  rewrite(bucket: string, key: string): void;
  /** What is nowhere in these buckets, and what is there twice. */
  judge(buckets: readonly string[]): readonly string[];
  readonly count: number;
};

const AN_HOUR = 3_600_000;
const TOLD = 3;

export function createLedger(sandbox: Sandbox): Ledger {
  /** Content and revision. */
  const owed = new Set<string>();
  let revisions = 0;
  const revisionOf = (bucket: string, key: string): string => sandbox.object(bucket, key)?.metadata["revision"] ?? "0";
  return {
    write(bucket, key, content = `content of ${bucket}/${key}`) {
      sandbox.put(bucket, key, content, { lastModified: new Date(Date.now() - AN_HOUR), metadata: { revision: "0" } });
      owed.add(`${content} 0`);
    },
    rewrite(bucket, key) {
      const content = sandbox.text(bucket, key);
      if (content === undefined) return;
      owed.delete(`${content} ${revisionOf(bucket, key)}`);
      const revision = String(++revisions);
      sandbox.put(bucket, key, content, { metadata: { revision } });
      owed.add(`${content} ${revision}`);
    },
    judge(buckets) {
      const seen = new Map<string, number>();
      for (const bucket of buckets)
        for (const key of sandbox.keys(bucket)) {
          const name = `${sandbox.text(bucket, key) ?? ""} ${revisionOf(bucket, key)}`;
          seen.set(name, (seen.get(name) ?? 0) + 1);
        }
      const lost = [...owed].filter((name) => !seen.has(name));
      return lost.length === 0
        ? []
        : [`${lost.length} contents are nowhere, such as ${lost.slice(0, TOLD).join(", ")}`];
    },
    get count() {
      return owed.size;
    },
  };
}

/** Rows against the store: what succeeded has left its source, unless somebody wrote there since; what did not is still there. */
export async function judgeRows(
  sandbox: Sandbox,
  rows: AsyncIterable<ReportRow>,
  { to, mayBeNewer = false }: { readonly to: string; readonly mayBeNewer?: boolean },
): Promise<readonly string[]> {
  const problems = new Map<string, number>();
  const add = (problem: string): void => void problems.set(problem, (problems.get(problem) ?? 0) + 1);
  const seen = new Set<string>();
  for await (const { bucket, key, status, code } of rows) {
    if (seen.has(key)) add("an object has two rows");
    seen.add(key);
    const there = sandbox.text(bucket, key) !== undefined;
    if (status === "succeeded" && there && !mayBeNewer) add("a row says succeeded, and the source is there");
    if (status === "succeeded" && sandbox.text(to, key) === undefined)
      add("a row says succeeded, and there is no copy");
    if (status !== "succeeded" && !there) add(`a row says ${status} ${code ?? ""}, and the source is gone`);
  }
  return [...problems].map(([problem, count]) => `${problem} (${count})`);
}
