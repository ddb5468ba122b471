import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { startRedis } from "../sandbox/start-redis.ts";
import { inlineList, setUp, startWorker } from "./protocol-worker.fixture.ts";

/** Runs a script in a process of its own that prints the URL of every module it loads, and gives its output. */
async function run(script: string): Promise<{ readonly code: number; readonly output: string }> {
  const hooks = `
    import { registerHooks } from "node:module";
    registerHooks({ load(url, context, next) { process.stdout.write("loaded " + url + "\\n"); return next(url, context); } });`;
  const asModule = (source: string) => `data:text/javascript,${encodeURIComponent(source)}`;
  const child = spawn(process.execPath, ["--import", asModule(hooks), "--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [output, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit") as Promise<[number]>, // its first argument is the exit code
  ]);
  expect(errors).toBe("");
  return { code, output };
}

const index = new URL("./index.ts", import.meta.url).href;

test("importing the package loads neither the AWS SDK nor a worker", async () => {
  const { output } = await run(`await import("${index}");`);
  expect(output).toContain("/producer/create.ts");
  expect(output).toMatch(/node_modules\/bullmq/);
  expect(output).not.toMatch(/@aws-sdk|@smithy|@aws-crypto|\/worker\/|\/sandbox\/|\/handler\.ts|node_modules\/jose/);
});

test("enqueuing, waiting, documents and closing load no AWS SDK either, and let the process end by itself", async () => {
  const bench = setUp();
  await startWorker(bench, "list-objects", async () => inlineList("a"));
  const { code, output } = await run(`
    import { createProducer } from "${index}";
    import { mkdtemp, rm } from "node:fs/promises";
    import { tmpdir } from "node:os";
    import { join } from "node:path";
    import { pathToFileURL } from "node:url";
    const dir = await mkdtemp(join(tmpdir(), "bucketline-process-"));
    const producer = createProducer({ redis: "${bench.url}", prefix: "${bench.prefix}", documents: pathToFileURL(dir).href });
    const job = await producer.enqueue("list-objects", { bucket: "in-1" });
    const { count } = await job.result({ timeout: 10_000 });
    const abandoned = (await producer.enqueue("head-bucket", { bucket: "in-1" })).result({ timeout: 600_000 });
    const code = abandoned.catch((error) => error.code);
    await producer.documents.write("hello", { name: "a.txt" });
    await producer.schedules.list();
    await producer.close();
    await rm(dir, { recursive: true });
    const holds = (what) => process.getActiveResourcesInfo().includes(what);
    while (holds("TCPSocketWrap")) await new Promise(setImmediate);
    console.log("count", count, await code, holds("Timeout") ? "stays for a timer" : "ends at once");`);
  expect(output).toContain("count 1 ProducerClosed ends at once");
  expect(code).toBe(0);
  expect(output).not.toMatch(/@aws-sdk|@smithy|@aws-crypto/);
});

test("a Redis that goes away neither ends the process nor prints anything", async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const { code, output } = await run(`
    import { createProducer } from "${index}";
    import { Redis } from "ioredis";
    const producer = createProducer({ redis: "${redis.url}", redisTimeout: 500 });
    const job = await producer.enqueue("list-objects", { bucket: "in-1" });
    await job.result({ timeout: 300 }).catch((error) => console.log(error.code));
    const waiting = job.result().catch((error) => console.log(error.code));
    const client = new Redis("${redis.url}");
    client.on("error", () => {});
    client.shutdown("NOSAVE").catch(() => {});
    await waiting;
    await producer.enqueue("list-objects", { bucket: "in-1" }).catch((error) => console.log(error.code));
    client.disconnect();
    await producer.close();`);
  expect(output.match(/^[A-Z]\w+$/gm)).toEqual(["WaitTimeout", "RedisUnavailable", "RedisUnavailable"]);
  expect(code).toBe(0);
});

test("a producer that was never used holds nothing open", async () => {
  const { code } = await run(`
    import { createProducer } from "${index}";
    createProducer({ redis: "redis://127.0.0.1:1" });`);
  expect(code).toBe(0);
});
