// Batches of thousands of odd objects on any store:  node test/conformance/odd-batches.ts --endpoint URL --region R --access-key K --secret-key S [--objects 3000]
// Copies, moves and deletes them with a worker, and lets a plain client of the SDK judge: every key, its content and what belongs to it. Ends with 1 where
// anything differs. Keys that the store does not take are counted and left out. Its bucket is made and removed.
import { createHash, randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { HeadObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { startWorkerUnderTest } from "../../cli/conformance/worker-under-test.ts";
import type { BatchSpecInput } from "../../producer/index.ts";
import { removeScratch } from "../../s3/probe/scratch-objects.ts";
import { createS3, probeCapabilities, profileFor } from "../../worker/inspect.ts";
import { carefulConnection } from "./careful-connection.ts";

const { values } = parseArgs({
  options: {
    endpoint: { type: "string" },
    region: { type: "string", default: "us-east-1" },
    "access-key": { type: "string", default: "" },
    "secret-key": { type: "string", default: "" },
    objects: { type: "string", default: "3000" },
  },
});
const { endpoint, region, "access-key": accessKeyId, "secret-key": secretAccessKey } = values;
if (endpoint === undefined) throw new Error("expected --endpoint");
const identity = { accessKeyId, secretAccessKey };
const careful = carefulConnection({ name: "careful", region, endpoint }, identity);
const judge = new S3Client({
  endpoint,
  region,
  credentials: identity,
  forcePathStyle: true,
  requestChecksumCalculation: "WHEN_REQUIRED",
});
const call = { signal: new AbortController().signal };
const run = `bucketline-odd-${randomBytes(4).toString("hex")}`;

/** What people have in their keys. */
const ODD = [
  "ä€🙂",
  "a b",
  "a+b",
  "100%",
  "%41",
  "'q\"",
  "&<>",
  "x?y#z",
  "=;,:@",
  "[!a]*",
  "{b}",
  "back\\slash",
  "é\u0301",
  "~",
  "a//b",
  "tail/",
  "日本語",
  "(1)",
  "\u00a0",
  "^`|",
];
const nameAt = (index: number): string => `${ODD[index % ODD.length] ?? ""}-${String(index).padStart(5, "0")}`;
const keyAt = (index: number): string => (index % 7 === 0 ? `deep/${index % 13}/${nameAt(index)}` : nameAt(index));
const contentOf = (name: string): string => `content of ${name}`;
const md5 = (text: string): string => createHash("md5").update(text).digest("hex");

/** Runs a task for each of many, 16 at once. */
async function forEach<Item>(
  items: readonly Item[],
  task: (item: Item, index: number) => Promise<void>,
): Promise<void> {
  const queue = items.entries();
  const lane = async (): Promise<void> => {
    for (const [index, item] of queue) await task(item, index);
  };
  await Promise.all(Array.from({ length: 16 }, lane));
}

/** Key after the prefix, and ETag, of all that is there. */
async function listed(prefix: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  let after: string | undefined;
  do {
    const page = await judge.send(
      new ListObjectsV2Command({ Bucket: run, Prefix: prefix, ContinuationToken: after, EncodingType: "url" }),
    );
    const plain = (key: string) => (page.EncodingType === "url" ? decodeURIComponent(key.replaceAll("+", " ")) : key);
    for (const { Key = "", ETag = "" } of page.Contents ?? [])
      found.set(plain(Key).slice(prefix.length), ETag.replaceAll('"', ""));
    after = page.IsTruncated === true ? page.NextContinuationToken : undefined;
  } while (after !== undefined);
  return found;
}

let wrong = 0;
function judged(what: string, problems: readonly string[]): void {
  console.log(
    `${problems.length === 0 ? "right" : "WRONG"}  ${what}${problems
      .map((one) => `\n       ${one}`)
      .slice(0, 10)
      .join("")}`,
  );
  wrong += problems.length;
}

/** Exactly these, with their content; of every tenth, what belongs to it. */
async function compare(what: string, prefix: string, expected: ReadonlyMap<string, string>): Promise<void> {
  const there = await listed(prefix);
  const problems = [...expected].flatMap(([name, etag]) =>
    there.get(name) === etag ? [] : [`${JSON.stringify(name)}: ${there.get(name) ?? "not there"}`],
  );
  for (const name of there.keys())
    if (!expected.has(name)) problems.push(`${JSON.stringify(name)}: there, and not expected`);
  const looked = [...expected.keys()].filter((name, index) => index % 10 === 0 && there.has(name));
  await forEach(looked, async (name) => {
    const { Metadata, ContentType } = await judge.send(new HeadObjectCommand({ Bucket: run, Key: prefix + name }));
    const mine = decodeURIComponent(Metadata?.["name"] ?? "");
    if (expected.get(name) !== md5(contentOf(mine)) || ContentType !== "text/x-odd")
      problems.push(`${JSON.stringify(name)}: metadata ${mine}, type ${ContentType ?? "none"}`);
  });
  judged(`${what}: ${expected.size} objects`, problems);
}

const s3 = createS3(careful);
await using stack = new AsyncDisposableStack();
stack.defer(() => s3.close());
await s3.createBucket({ bucket: run }, call);
stack.defer(async () => {
  await removeScratch(careful, { bucket: run, prefix: "" }, call);
  await s3.deleteBucket({ bucket: run }, call);
});
const settings = profileFor(await probeCapabilities(careful, { bucket: run, signal: call.signal }));
console.log(`profile ${JSON.stringify(settings)}`);
const target = { ...identity, endpoint, region, sessionToken: undefined, pathStyle: true };
const producer = await startWorkerUnderTest(target, { settings, env: process.env, prefix: run }, stack);

const refused: string[] = [];
const wanted = Array.from({ length: Number(values.objects) }, (_, index) => keyAt(index));
await forEach(wanted, async (name) => {
  const request = { Bucket: run, Key: `a/${name}`, Body: contentOf(name), ContentType: "text/x-odd" };
  await judge
    .send(new PutObjectCommand({ ...request, Metadata: { name: encodeURIComponent(name) } }))
    .catch((error: unknown) => {
      refused.push(`${JSON.stringify(name)}: ${error instanceof Error ? error.name : String(error)}`);
    });
});
// What a store took under another name, or not at all, it took from the judge, not from us.
const before = await listed("a/");
const names = wanted.filter((name) => before.get(name) === md5(contentOf(name)));
const foldedAway = wanted.length - names.length - refused.length;
console.log(
  `${names.length} objects; ${refused.length} keys refused, ${foldedAway} kept under another name or not at all`,
);

async function batch(spec: BatchSpecInput): Promise<void> {
  const started = performance.now();
  const done = await (await producer.batches.start(spec)).done();
  const { succeeded, failed, skipped, errors } = done;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(
    `       ${spec.operation}: ${succeeded} succeeded, ${failed} failed, ${skipped} skipped ${JSON.stringify(errors)} in ${seconds} s`,
  );
}
const others = before.size - names.length;
if (others > 0)
  console.log(`       ${others} keys are there that nobody asked for: the store changed them; they count as they are`);
const [from, to, last] = ["a/", "b/", "c/"].map((prefix) => ({ bucket: run, prefix }));
if (from === undefined || to === undefined || last === undefined) throw new Error("three places");
await batch({ operation: "copy", source: from, destination: to });
await compare("a copy, at its source", "a/", before);
await compare("a copy, at its destination", "b/", before);
await batch({ operation: "move", source: to, destination: last });
await compare("a move, at its source", "b/", new Map());
await compare("a move, at its destination", "c/", before);
await batch({ operation: "delete", source: last });
await compare("a delete", "c/", new Map());
await compare("a delete, elsewhere", "a/", before);
judge.destroy();
console.log(wrong === 0 ? "all right" : `${wrong} wrong`);
process.exitCode = wrong === 0 ? 0 : 1;
