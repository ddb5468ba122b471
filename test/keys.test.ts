import { text } from "node:stream/consumers";
import fc from "fast-check";
import { expect } from "vitest";
import { keyProblem } from "../model/object-key.ts";
import { test } from "./harness.ts";

const COUNT = 2000;

/** What is known to break tools: each of these must be among the keys of every run. */
const NOTORIOUS = [
  " ",
  "+",
  "%",
  "%2F",
  "%25",
  "&",
  "<",
  ">",
  '"',
  "'",
  "a+b c",
  "//",
  "/lead",
  "trail/",
  "a//b",
  "\n",
  "\r\n",
  "x\r\ny",
  "\t",
  "ключ",
  "日本語/キー",
  "🪣/line",
  "e\u0301",
  "\u00e9",
  "\u200b",
  "a=b&c=d",
  "a?versionId=b",
  "a#b",
  "a;b",
  "a:b",
  "a,b",
  "{a}",
  "[a]",
  "a\\b",
  "*",
  "~",
  "$",
  "@",
  "!",
  "(a)",
  "|",
  "^",
  "`",
  ".hidden",
  "a.",
  "...",
  "a..b",
  "<Key>x</Key>",
  "&amp;",
  "]]>",
  "\u0000",
  "\u0001\u001f",
  "\u007f\u0085",
  "\ufffd",
  "k".repeat(1024),
  "é".repeat(512),
  "🪣".repeat(256),
];

const key = fc
  .oneof(
    fc.string({ unit: "binary", minLength: 1, maxLength: 40 }),
    fc.string({
      unit: fc.constantFrom(...Array.from(" +%&<>\"'/\n\r\t?#=;:\\é日🪣az09._-")),
      minLength: 1,
      maxLength: 60,
    }),
    fc.string({ unit: "grapheme", minLength: 200, maxLength: 300 }),
  )
  .filter((candidate) => keyProblem(candidate) === undefined);

function generate(): string[] {
  const seed = Number(process.env["KEY_SEED"] ?? Date.now());
  const keys = new Set(NOTORIOUS);
  for (let round = 0; keys.size < COUNT; round++)
    for (const one of fc.sample(key, { numRuns: COUNT, seed: seed + round })) if (keys.size < COUNT) keys.add(one);
  console.log(`2,000 keys from KEY_SEED=${seed}`);
  return [...keys];
}

test("2,000 generated keys are listed, copied, read, moved and deleted byte for byte", async ({
  harness,
  sandbox,
  run,
}) => {
  const keys = generate();
  for (const bucket of ["keys", "copies", "moved"]) sandbox.createBucket(bucket);
  for (const one of keys) sandbox.put("keys", one, `content of ${one}`);
  const { producer } = harness;
  const listed = async (bucket: string) =>
    new Set((await run("list-objects", { bucket })).objects.map((object) => object.key));
  const expected = new Set(keys);
  expect(await listed("keys")).toEqual(expected);

  const inputs = keys.map((one) => ({ object: { bucket: "keys", key: one }, destination: { bucket: "copies" } }));
  const all = async <Result>(jobs: readonly { result(options: { timeout: number }): Promise<Result> }[]) =>
    Promise.all(jobs.map((job) => job.result({ timeout: 240_000 })));
  await all(await producer.enqueueMany("copy-object", inputs));
  expect(await listed("copies")).toEqual(expected);

  const gets = keys.map((one) => ({ object: { bucket: "copies", key: one } }));
  const downloads = await all(await producer.enqueueMany("get-object", gets));
  for (const [index, { document, object }] of downloads.entries()) {
    expect(object.key).toBe(keys[index]);
    expect(await text(await producer.documents.read(document))).toBe(`content of ${keys[index]}`);
  }

  const moves = keys.map((one) => ({ object: { bucket: "keys", key: one }, destination: { bucket: "moved" } }));
  await all(await producer.enqueueMany("move-object", moves));
  expect(sandbox.keys("keys")).toEqual([]);
  expect(await listed("moved")).toEqual(expected);
  for (const one of keys) expect(sandbox.text("moved", one)).toBe(`content of ${one}`);

  await all(await producer.enqueueMany("delete-object", gets));
  expect(sandbox.keys("copies")).toEqual([]);
}, 600_000);

test("keys that cannot be sent safely are refused before any request, with the reason", async ({ sandbox, run }) => {
  const calls = sandbox.calls();
  const refused: [string, string][] = [
    ["", "1 to 1,024 bytes"],
    ["k".repeat(1025), "1,025"],
    ["é".repeat(513), "1,026"],
    ["a/../b", '".."'],
    ["./a", '"."'],
    ["..", '".."'],
    ["a/.", '"."'],
    ["\ud800", "surrogate"],
  ];
  for (const [one, reason] of refused)
    await expect(run("head-object", { object: { bucket: "keys", key: one } })).rejects.toMatchObject({
      code: "InvalidInput",
      field: "object.key",
      message: expect.stringContaining(reason),
    });
  expect(sandbox.calls()).toBe(calls);
});
