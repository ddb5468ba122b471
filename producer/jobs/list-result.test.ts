import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import { expect, expectTypeOf, onTestFinished, test } from "vitest";
import type { S3Object } from "../../jobs/contracts.ts";
import type { Producer } from "../create.ts";
import { anObject, inlineList, setUp, startWorker } from "../protocol-worker.fixture.ts";

// A line separator ends no line of NDJSON, though node:readline says so.
const KEYS = ["a.txt", "line\u2028separator", "carriage\rreturn", "new\nline", "😀 ünïcödé", "z"];

async function bench() {
  const dir = await mkdtemp(join(tmpdir(), "bucketline-producer-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return setUp({ documents: pathToFileURL(dir).href });
}

/** Writes a long list as a worker does, and has a worker return it. */
async function spilled(room: Awaited<ReturnType<typeof bench>>, lines: Iterable<string>, count: number) {
  const document = await room.producer.documents.write(Readable.from(lines), {
    name: "list-objects.ndjson",
    contentType: "application/x-ndjson",
  });
  await startWorker(room, "list-objects", async () => ({ count, document }));
  return await room.producer.enqueue("list-objects", { bucket: "in-1" });
}

function* linesOf(keys: Iterable<string>): Generator<string> {
  for (const key of keys) yield `${JSON.stringify(anObject(key))}\n`;
}

async function keysOf(entities: AsyncIterable<S3Object>): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of entities) keys.push(key);
  return keys;
}

test("a list is the same whether it is on the job or in a document, and can be asked for again", async () => {
  const inline = await bench();
  await startWorker(inline, "list-objects", async () => inlineList(...KEYS));
  const short = await inline.producer.enqueue("list-objects", { bucket: "in-1" });
  const long = await spilled(await bench(), linesOf(KEYS), KEYS.length);

  for (const job of [short, long, long]) {
    expectTypeOf(job.entities()).toEqualTypeOf<AsyncIterable<S3Object>>();
    expect(await keysOf(job.entities({ timeout: 10_000 }))).toEqual(KEYS);
    expect(await job.result({ timeout: 10_000 })).toEqual({ count: KEYS.length, objects: KEYS.map(anObject) });
  }
});

test("a list of more than 100,000 is iterated, and result() says so", async () => {
  const count = 100_001;
  function* keys() {
    for (let index = 0; index < count; index += 1) yield `k${index}`;
  }
  const job = await spilled(await bench(), linesOf(keys()), count);
  await expect(job.result({ timeout: 10_000 })).rejects.toMatchObject({
    code: "ListTooLong",
    message: expect.stringContaining("entities()") as string,
  });
  expect(await job.succeeded()).toBe(true);
  let seen = 0;
  for await (const { key } of job.entities()) {
    expect(key === `k${seen}`).toBe(true);
    seen += 1;
  }
  expect(seen).toBe(count);
});

test("iterating may stop early", async () => {
  const job = await spilled(await bench(), linesOf(KEYS), KEYS.length);
  for await (const { key } of job.entities({ timeout: 10_000 })) {
    expect(key).toBe("a.txt");
    break;
  }
  expect(await keysOf(job.entities())).toEqual(KEYS);
});

test("a list that has fewer entities than were promised is not passed off as whole", async () => {
  const job = await spilled(await bench(), linesOf(KEYS), KEYS.length + 1);
  await expect(job.result({ timeout: 10_000 })).rejects.toMatchObject({ code: "InvalidResult" });
  await expect(keysOf(job.entities())).rejects.toMatchObject({ code: "InvalidResult" });
});

test("a list whose document is gone is told as such", async () => {
  const room = await bench();
  const job = await spilled(room, linesOf(KEYS), KEYS.length);
  await job.succeeded({ timeout: 10_000 });
  const stored = await room.client.hget(room.keys.job("list-objects", job.id), "returnvalue");
  const { document } = JSON.parse(stored ?? "") as { document: { id: string } };
  await room.producer.documents.delete(document.id);
  await expect(job.result()).rejects.toMatchObject({ code: "DocumentNotFound" });
});

test("an activity that returns no list has no entities", async () => {
  const { producer } = await bench();
  const job = producer.job("head-bucket", "some-id");
  expectTypeOf(job).not.toHaveProperty("entities");
  const untyped = job as unknown as { entities(): AsyncIterable<S3Object> };
  await expect(keysOf(untyped.entities())).rejects.toMatchObject({ code: "InvalidInput" });
});

test("a result that is not the activity's is refused, but what a newer worker added is let through", async () => {
  const room = await bench();
  const results: unknown[] = [{ bucket: { name: "in-1" }, since: 2 }, { bucket: { called: "in-1" } }];
  await startWorker(room, "head-bucket", async () => results.shift());
  const ask = async (producer: Producer) => await producer.run("head-bucket", { bucket: "in-1" }, { timeout: 10_000 });
  expect(await ask(room.producer)).toMatchObject({ bucket: { name: "in-1" } });
  await expect(ask(room.producer)).rejects.toMatchObject({
    code: "InvalidResult",
    message: expect.stringContaining("bucket.name") as string,
  });
});
