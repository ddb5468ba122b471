import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Duplicate, duplicatesIn, type SourceText } from "./duplicates.ts";
import { CROSSES_ROOMS } from "./import-rules.ts";
import { sourcePaths } from "./read-source.ts";

const root = join(import.meta.dirname, "../..");

/** What stands twice in the program, each with the reason. */
const IN_ROOMS: Readonly<Record<string, string>> = {
  'cli/conformance/copy-checks.ts ~ cli/conformance/copy-checks.ts: await expectCode(s3.copy({ source: pin, bucket: other, key: "pinned" }, { signal }), "SourceChanged");':
    "two claims, each to be read as a whole",
  "dashboard/embed.ts ~ dashboard/create.ts: } catch (error) {":
    "how whatever was opened is closed again, within a function that opens other things",
  "jobs/move-object/contract.ts ~ jobs/copy-object/contract.ts: .superRefine(checkCopy),":
    "two results that may come to differ; their fields are defined once",
  "s3/parts/download/ranged-body.ts ~ s3/parts/download/placed.ts: readonly size: number;":
    "what two readers are given: fields and their explanations",
  's3/parts/download/ranged-body.ts ~ s3/parts/download/body.ts: signal.addEventListener("abort", onAbort, { once: true });':
    "an end of two functions, of three lines; the next function begins alike",
  "s3/requests/open-object.ts ~ s3/requests/delete.ts: ...ownedBy(store),":
    "two commands of the SDK, each with an input of its own",
};

/** Tests tell their stories in the same words: what counts there is twice as long. */
const MIN_TOKENS_OF_TESTS = 60;

/** What stands twice beside the program, each with the reason. */
const IN_TESTS: Readonly<Record<string, string>> = {
  "batches/faults.test.ts ~ batches/faults.test.ts: const batch = await own.batches.start({":
    "two stories, each told in its order",
  "batches/safety.test.ts ~ batches/safety.test.ts: await worker.deliver(chunkOf(batch.id));":
    "two stories, each told in its order",
  "batches/steering.test.ts ~ batches/steering.test.ts: const held = holdCopies(to);":
    "two stories, each told in its order",
  "bench/benchmarks/move-requests.ts ~ bench/benchmarks/batch-latency.ts: const { control } = lab.server;":
    "what a benchmark measures on stands in it, to be read with its figure",
  "bench/benchmarks/two-workers.ts ~ bench/benchmarks/batch-latency.ts: const lab = await openLab(context, { latencyMs: LATENCY_MS });":
    "what a benchmark measures on stands in it, to be read with its figure",
  "dashboard/api/batches/routes.test.ts ~ batches/steering.test.ts: let made = 0;":
    "objects of two tests that say different things about them",
  "dashboard/night.browser.test.ts ~ dashboard/legible.browser.test.ts: let harness: Harness;":
    "what a story in a browser opens, beside what else it sets up",
  "dashboard/steady.browser.test.ts ~ dashboard/legible.browser.test.ts: let harness: Harness;":
    "what a story in a browser opens, beside what else it sets up",
  "dashboard/steady.browser.test.ts ~ dashboard/legible.browser.test.ts: afterEach(async () => {":
    "and how it closes what it opened",
  "documents/s3/store.test.ts ~ documents/file/store.test.ts: expect((await store.sweep()).orphans).toBe(0);":
    "two stores whose leftovers are other things",
  "test/wait-replicas.test.ts ~ test/wait-replicas.test.ts: freeze();": "two stories, each told in its order",
  'worker/queues/give-back-unheard.test.ts ~ redis/connection/connect.test.ts: for (const end of [socket, behind]) end.on("error", () => {});':
    "two proxies that fail in different ways",
};

function codeOf(wanted: (path: string) => boolean) {
  const paths = sourcePaths(root).filter((path) => /\.m?[jt]s$/.test(path) && wanted(path));
  return paths.toSorted().map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
}

/** What has no reason, and what is gone and still has one. */
function unexplained(found: readonly Duplicate[], reasons: Readonly<Record<string, string>>) {
  return {
    new: found.filter(({ name }) => !(name in reasons)),
    gone: Object.keys(reasons).filter((name) => !found.some((one) => one.name === name)),
  };
}

test("nothing of six lines stands twice in the program without a reason", async () => {
  const files = codeOf((path) => !CROSSES_ROOMS.test(path));
  expect(files.length).toBeGreaterThan(500);
  expect(unexplained(await duplicatesIn(files, { minTokens: 30 }), IN_ROOMS)).toEqual({ new: [], gone: [] });
});

test("nothing of six lines and 60 tokens stands twice in tests, benchmarks and scripts without a reason", async () => {
  const files = codeOf((path) => CROSSES_ROOMS.test(path));
  expect(files.length).toBeGreaterThan(300);
  expect(unexplained(await duplicatesIn(files, { minTokens: MIN_TOKENS_OF_TESTS }), IN_TESTS)).toEqual({
    new: [],
    gone: [],
  });
});

describe("a passage that stands twice", () => {
  const passage = (lines: number) =>
    Array.from(
      { length: lines },
      (_, line) => `  const sum${line} = add(first.amount, second.amount, ${line});\n`,
    ).join("");
  const file = (path: string, lines: number) => ({ path, text: `// ${path}\n${passage(lines)}` });
  const pairs = (...files: readonly SourceText[]) => duplicatesIn(files, { minTokens: 30 });

  test("is found under a name that stays the same when lines are added above", async () => {
    const [found] = await pairs(file("model/a.ts", 8), file("model/b.ts", 8));
    expect(found?.places).toMatch(/^model\/b\.ts:\d-9 ~ model\/a\.ts:\d-9$/);
    const later = { path: "model/b.ts", text: `export const more = 1;\n\n${passage(8)}` };
    expect((await pairs(file("model/a.ts", 8), later)).map(({ name }) => name)).toEqual([found?.name]);
  });

  test("counts from six lines on, and not where it is imports", async () => {
    expect(await pairs(file("model/a.ts", 5), file("model/b.ts", 5))).toEqual([]);
    const imports = `import {\n${passage(9).replace(/.*(sum\d).*/g, "  $1,")}} from "./c.ts";\n`;
    expect(await pairs({ path: "model/a.ts", text: imports }, { path: "model/b.ts", text: imports })).toEqual([]);
  });

  test("needs a reason, and the reason needs it", async () => {
    const found = await pairs(file("model/a.ts", 8), file("model/b.ts", 8));
    expect(unexplained(found, {})).toEqual({ new: found, gone: [] });
    expect(unexplained([], { [found[0]?.name ?? ""]: "a reason" }).gone).toEqual([found[0]?.name]);
    expect(unexplained(found, { [found[0]?.name ?? ""]: "a reason" })).toEqual({ new: [], gone: [] });
  });
});
