import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { styleText } from "node:util";
import type { Producer } from "../../producer/index.ts";
import type { Sandbox } from "../../sandbox/index.ts";

export type Tour = { readonly producer: Producer; readonly sandbox: Sandbox };

/** One row of the table: what was asked, and a run that tells what came back. Throws where it is not what it should be. */
type Step = { readonly activity: string; readonly asked: string; readonly run: (tour: Tour) => Promise<string> };

const WIDTHS = { activity: 21, asked: 44, cameBack: 62 } as const;
const file = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));

/** Runs the steps in order and prints a row as each ends; false where one did not come back as it should. */
export async function runSteps(tour: Tour): Promise<boolean> {
  row(["activity", "asked", "came back", "took"], "bold");
  let ok = true;
  for (const step of steps) {
    const startedAt = performance.now();
    try {
      const cameBack = await step.run(tour);
      row([step.activity, step.asked, cameBack, `${Math.round(performance.now() - startedAt)} ms`]);
    } catch (error) {
      ok = false;
      const reason = error instanceof Error ? error.message : String(error);
      row([step.activity, step.asked, reason, `${Math.round(performance.now() - startedAt)} ms`], "red");
    }
  }
  return ok;
}

function row([activity = "", asked = "", cameBack = "", took = ""]: readonly string[], style?: "bold" | "red"): void {
  const text = `${activity.padEnd(WIDTHS.activity)}${asked.padEnd(WIDTHS.asked)}${cameBack.padEnd(WIDTHS.cameBack)}${took.padStart(8)}`;
  console.log(style === undefined ? text : styleText(style, text));
}

function expectThat(holds: boolean, expected: string): void {
  if (!holds) throw new Error(`expected ${expected}`);
}

const bytes = (count: number): string => `${count.toLocaleString("en-US")} bytes`;

async function put({ producer }: Tour, name: string, key: string): Promise<string> {
  const document = await producer.documents.write(await readFile(file(name)), { name: basename(name) });
  const { object } = await producer.run("put-object", { bucket: "tour-in", document, key, metadata: { from: "tour" } });
  return `success, ${bytes(object.size)}, etag ${object.etag.slice(0, 8)}`;
}

const readme = { bucket: "tour-in", key: "docs/README.md" };
const license = { bucket: "tour-in", key: "docs/legal/LICENSE" };

const steps: readonly Step[] = [
  {
    activity: "validate-credentials",
    asked: "profile default",
    run: async ({ producer }) => {
      const { account } = await producer.run("validate-credentials", {});
      return `success${account === undefined ? "" : `, account ${account}`}`;
    },
  },
  {
    activity: "create-bucket",
    asked: "tour-in and tour-out",
    run: async ({ producer }) => {
      const jobs = await producer.enqueueMany("create-bucket", [{ bucket: "tour-in" }, { bucket: "tour-out" }]);
      const made = await Promise.all(jobs.map((job) => job.result()));
      return `success, in ${made.map(({ bucket }) => bucket.region).join(" and ")}`;
    },
  },
  { activity: "put-object", asked: "README.md to tour-in/docs/", run: (tour) => put(tour, "README.md", readme.key) },
  { activity: "put-object", asked: "LICENSE to tour-in/docs/legal/", run: (tour) => put(tour, "LICENSE", license.key) },
  {
    activity: "put-object",
    asked: "package.json as a key with odd characters",
    run: (tour) => put(tour, "package.json", "odd/ü +%&<\"'/package.json"),
  },
  {
    activity: "list-buckets",
    asked: "prefix tour-",
    run: async ({ producer }) => {
      const { buckets } = await producer.run("list-buckets", { prefix: "tour-" });
      return buckets.map(({ name }) => name).join(", ");
    },
  },
  {
    activity: "head-bucket",
    asked: "tour-in",
    run: async ({ producer }) => `region ${(await producer.run("head-bucket", { bucket: "tour-in" })).bucket.region}`,
  },
  {
    activity: "list-prefixes",
    asked: "tour-in, recursive",
    run: async ({ producer }) => {
      const { prefixes } = await producer.run("list-prefixes", { bucket: "tour-in", recursive: true });
      return prefixes.map(({ prefix }) => prefix).join(", ");
    },
  },
  {
    activity: "list-objects",
    asked: "tour-in/docs/",
    run: async ({ producer }) => {
      const { objects } = await producer.run("list-objects", { bucket: "tour-in", prefix: "docs/" });
      return objects.map(({ key, size }) => `${key} (${size})`).join(", ");
    },
  },
  {
    activity: "head-object",
    asked: `tour-in/${readme.key}`,
    run: async ({ producer }) => {
      const { object } = await producer.run("head-object", { object: readme });
      return `${bytes(object.size)}, metadata ${JSON.stringify(object.metadata)}`;
    },
  },
  { activity: "get-object", asked: `tour-in/${readme.key}`, run: download },
  {
    activity: "copy-object",
    asked: `${readme.key} to tour-out`,
    run: async ({ producer }) => {
      const copied = await producer.run("copy-object", { object: readme, destination: { bucket: "tour-out" } });
      return `success, verified by ${copied.verified}`;
    },
  },
  { activity: "presign-object", asked: "a URL for the copy, 60 s", run: presign },
  {
    activity: "move-object",
    asked: `${license.key} to tour-out`,
    run: async ({ producer }) => {
      const moved = await producer.run("move-object", { object: license, destination: { bucket: "tour-out" } });
      return `success, verified by ${moved.verified}, ${moved.guarantee} delete`;
    },
  },
  {
    activity: "delete-object",
    asked: `tour-out/${license.key}`,
    run: async ({ producer }) => {
      const { success } = await producer.run("delete-object", { object: { ...license, bucket: "tour-out" } });
      return success ? "success" : "nothing";
    },
  },
  {
    activity: "delete-bucket",
    asked: "tour-in, which holds objects",
    run: async ({ producer }) => {
      const job = await producer.enqueue("delete-bucket", { bucket: "tour-in" });
      const refusal = await job.result().then(
        () => "",
        (error: Error) => error.message,
      );
      expectThat(refusal.startsWith("BucketNotEmpty"), "BucketNotEmpty");
      return `refused, as it should be: ${refusal.split(":")[0]}`;
    },
  },
  {
    activity: "delete-bucket",
    asked: "tour-spare, just made and empty",
    run: async ({ producer }) => {
      await producer.run("create-bucket", { bucket: "tour-spare" });
      const { success } = await producer.run("delete-bucket", { bucket: "tour-spare" });
      return success ? "success" : "nothing";
    },
  },
  { activity: "move-object", asked: "through a lost answer, a 503 and SlowDown", run: moveThroughFaults },
  { activity: "move-object", asked: "of a source overwritten in between", run: moveOverwritten },
];

async function download({ producer }: Tour): Promise<string> {
  const { document } = await producer.run("get-object", { object: readme });
  const hash = createHash("sha256");
  for await (const chunk of await producer.documents.read(document)) hash.update(chunk as Buffer); // a byte stream
  const original = createHash("sha256").update(await readFile(file("README.md")));
  expectThat(hash.digest("hex") === original.digest("hex"), "the file's own bytes");
  return `a document of ${bytes(document.size)}, sha256 as the file's`;
}

async function presign({ producer }: Tour): Promise<string> {
  const object = { ...readme, bucket: "tour-out" };
  const { url } = await producer.run("presign-object", { object, expiresIn: 60 });
  const answer = await fetch(url);
  expectThat(answer.ok, "HTTP 200");
  return `fetched with no key: HTTP ${answer.status}, ${bytes((await answer.arrayBuffer()).byteLength)}`;
}

async function moveThroughFaults({ producer, sandbox }: Tour): Promise<string> {
  const content = sandbox.text("tour-in", readme.key);
  const faults = [
    sandbox.fault({ operation: "CopyObject", bucket: "tour-out", kind: "slow-down", times: 1 }),
    sandbox.fault({ operation: "CopyObject", bucket: "tour-out", kind: "reset-after", times: 1 }),
    sandbox.fault({ operation: "DeleteObject", bucket: "tour-in", kind: "status", status: 503, times: 1 }),
  ];
  const destination = { bucket: "tour-out", key: "survived.md" };
  const moved = await producer.run("move-object", { object: readme, destination }).finally(() => sandbox.clearFaults());
  const met = faults.reduce((sum, { hits }) => sum + hits, 0);
  expectThat(met > 0, "the move to meet its faults");
  expectThat(sandbox.text("tour-in", readme.key) === undefined, "the source to be gone");
  expectThat(sandbox.text("tour-out", "survived.md") === content, "the same content at the destination");
  return `success: ${met} faults met, moved once, verified by ${moved.verified}`;
}

async function moveOverwritten({ producer, sandbox }: Tour): Promise<string> {
  sandbox.put("tour-in", "race.txt", "older");
  const remove = sandbox.after("CopyObject", () => void sandbox.put("tour-in", "race.txt", "newer"));
  const job = await producer.enqueue("move-object", {
    object: { bucket: "tour-in", key: "race.txt" },
    destination: { bucket: "tour-out" },
  });
  const code = await job.result().then(
    () => "success",
    (error: Error) => error.message.split(":")[0],
  );
  remove();
  expectThat(code === "SourceChanged" && sandbox.text("tour-in", "race.txt") === "newer", "both kept");
  return `${code}: nothing deleted, both kept`;
}
