import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { Redis } from "ioredis";
import { createProducer } from "../../producer/index.ts";
import { groupId } from "../../jobs/failures.ts";
import { redisKeys } from "../../redis/keys.ts";
import { startRedis } from "../../sandbox/index.ts";

// `node bench/benchmarks/dashboard.ts`: how fast the dashboard answers, and how much memory it holds, with 300,000 jobs in a queue, 100,000 of them
// failed, and 1,000 batches.

const JOBS = 100_000;
const BATCHES = 1000;
const ROUNDS = 15;
const MAX_MS = 300;
/** A search looks at as much as one answer may take, and says where to go on. */
const MAX_SEARCH_MS = 500;
const MAX_MEMORY = 200 * 1024 ** 2;
const PREFIX = "bench";

await using stack = new AsyncDisposableStack();
const redis = await startRedis();
stack.defer(() => redis.stop());
const folder = await mkdtemp(join(tmpdir(), "bucketline-bench-"));
stack.defer(() => rm(folder, { recursive: true }));
const documents = pathToFileURL(join(folder, "documents")).href;

const client = new Redis(redis.url);
stack.defer(() => client.disconnect());
console.log(
  `filling Redis: ${JOBS.toLocaleString("en")} jobs in copy-object for each state, ${BATCHES.toLocaleString("en")} batches`,
);
await fillJobs(client);
const group = await fillProblems(client);
const batch = await fillBatches();

const dashboard = await startDashboard();
stack.defer(dashboard.stop);
const { url } = dashboard;

const paths = [
  ["overview page", "/"],
  ["overview", "/api/overview"],
  ["throughput, 15 min", "/api/throughput?range=15m"],
  ["throughput, 24 h", "/api/throughput?range=24h"],
  ["jobs waiting", "/api/jobs/copy-object?state=waiting"],
  ["jobs waiting, the last page", `/api/jobs/copy-object?state=waiting&offset=${JOBS - 25}`],
  ["jobs failed", "/api/jobs/copy-object?state=failed"],
  ["jobs failed, the last page", `/api/jobs/copy-object?state=failed&offset=${JOBS - 25}`],
  ["jobs completed, the last page", `/api/jobs/copy-object?state=completed&offset=${JOBS - 25}`],
  ["one job that waits", "/api/jobs/copy-object/wait-50000"],
  ["a job by its id, in all queues", "/api/jobs?id=failed-50000"],
  ["batches", "/api/batches"],
  ["batches in a state that none has", "/api/batches?state=cancelled"],
  ["one batch", `/api/batches/${batch}`],
  ["problems", "/api/problems"],
  ["one problem", `/api/problems/jobs-${group}`],
  ["search, a key that is rare", "/api/search?text=folder%2F99999.jpg"],
  ["search, a key that nobody has", "/api/search?text=nothing-is-called-so"],
  ["search, a code and a bucket", "/api/search?code=NoSuchKey&bucket=in"],
  ["search, the last hour", `/api/search?state=completed&since=${new Date(Date.now() - 3_600_000).toISOString()}`],
  ["schedules", "/api/schedules"],
  ["profiles", "/api/profiles"],
  ["documents", "/api/documents"],
  ["metrics", "/metrics"],
  ["bull-board, overview", "/queues/api/queues"],
  ["bull-board, failed jobs", "/queues/api/queues?activeQueue=copy-object&status=failed&page=1&jobsPerPage=10"],
  ["bull-board, waiting jobs", "/queues/api/queues?activeQueue=copy-object&status=waiting&page=1&jobsPerPage=10"],
] as const;

console.log(
  `\n${"answer".padEnd(36)}${"first".padStart(9)}${"p50".padStart(9)}${"max".padStart(9)}${"KiB".padStart(9)}`,
);
let slowest = 0;
let slowestSearch = 0;
for (const [name, path] of paths) {
  const times: number[] = [];
  let size = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const startedAt = performance.now();
    const response = await fetch(new URL(path, url));
    const body = await response.arrayBuffer();
    times.push(performance.now() - startedAt);
    size = body.byteLength;
    if (!response.ok)
      throw new Error(`${path} was answered with ${response.status}: ${new TextDecoder().decode(body)}`);
    // Past what is kept for a moment, so that each look is a fresh one.
    await new Promise((resolve) => setTimeout(resolve, round < 3 ? 1000 : 20));
  }
  const sorted = times.toSorted((a, b) => a - b);
  const max = sorted.at(-1) ?? 0;
  if (name.startsWith("search")) slowestSearch = Math.max(slowestSearch, max);
  else slowest = Math.max(slowest, max);
  const ms = (value: number | undefined) => `${(value ?? 0).toFixed(1)} ms`.padStart(9);
  console.log(
    `${name.padEnd(36)}${ms(times[0])}${ms(sorted[Math.floor(ROUNDS / 2)])}${ms(max)}${(size / 1024).toFixed(0).padStart(9)}`,
  );
}
const memory = await memoryOf(url);
const readers = await openStreams(50);
await new Promise((resolve) => setTimeout(resolve, 5000));
const withReaders = await memoryOf(url);
readers.abort();

const verdict = (good: boolean) => (good ? "ok" : "TOO MUCH");
console.log(
  `\nslowest answer                 ${slowest.toFixed(0)} ms (at most ${MAX_MS}): ${verdict(slowest < MAX_MS)}`,
);
console.log(
  `slowest search                 ${slowestSearch.toFixed(0)} ms (at most ${MAX_SEARCH_MS}): ${verdict(slowestSearch < MAX_SEARCH_MS)}`,
);
console.log(
  `memory                         ${(memory / 1024 ** 2).toFixed(0)} MiB (at most ${MAX_MEMORY / 1024 ** 2}): ${verdict(memory < MAX_MEMORY)}`,
);
console.log(
  `memory with 50 event streams   ${(withReaders / 1024 ** 2).toFixed(0)} MiB (at most ${MAX_MEMORY / 1024 ** 2}): ${verdict(withReaders < MAX_MEMORY)}`,
);
process.exitCode =
  slowest < MAX_MS && slowestSearch < MAX_SEARCH_MS && withReaders < MAX_MEMORY && memory < MAX_MEMORY ? 0 : 1;

/** As BullMQ and a worker leave jobs behind, without running them. */
async function fillJobs(into: Redis): Promise<void> {
  const key = (name: string) => `${PREFIX}:copy-object:${name}`;
  const now = Date.now();
  const opts = JSON.stringify({ attempts: 5, backoff: { type: "bucketline" } });
  const error = JSON.stringify({
    code: "NoSuchKey",
    message: "NoSuchKey: no object s3://in/a",
    retryable: false,
    httpStatus: 404,
  });
  for (let start = 0; start < JOBS; start += 5000) {
    const pipeline = into.pipeline();
    for (let i = start; i < start + 5000; i++) {
      const data = JSON.stringify({ object: { bucket: "in", key: `folder/${i}.jpg` }, destination: { bucket: "out" } });
      // Spread over the day that completed jobs are kept for.
      const finishedOn = now - Math.floor((i / JOBS) * 86_000_000);
      const common = { name: "copy-object", data, opts, timestamp: finishedOn - 50, delay: 0, priority: 0 };
      const ended = { ...common, processedOn: finishedOn - 20, finishedOn, atm: 1, ats: 1 };
      pipeline.hset(key(`wait-${i}`), { ...common, timestamp: now });
      pipeline.lpush(key("wait"), `wait-${i}`);
      pipeline.hset(key(`failed-${i}`), {
        ...ended,
        failedReason: "NoSuchKey: no object s3://in/a",
        error,
        stacktrace: "[]",
      });
      pipeline.zadd(key("failed"), finishedOn, `failed-${i}`);
      pipeline.hset(key(`completed-${i}`), { ...ended, returnvalue: '{"success":true,"verified":"etag"}' });
      pipeline.zadd(key("completed"), finishedOn, `completed-${i}`);
    }
    await pipeline.exec();
  }
}

/** Failed jobs in groups, as workers note them: the largest holds half of all. */
async function fillProblems(into: Redis): Promise<string> {
  const keys = redisKeys(PREFIX);
  const now = Date.now();
  const groups = ["in", "out", "photos", "logs", "archive"].map((bucket) =>
    groupId({ activity: "copy-object", code: "NoSuchKey", bucket, profile: "default" }),
  );
  const [largest = ""] = groups;
  for (const [index, id] of groups.entries()) {
    const shared = { activity: "copy-object", code: "NoSuchKey", bucket: "in", profile: "default" };
    await into.hset(keys.failure(id), {
      ...shared,
      first: now - 86_400_000,
      last: now,
      count: JOBS / 2,
      example: "failed-1",
    });
    await into.zadd(keys.failures(), now - index, id);
  }
  for (let start = 0; start < JOBS; start += 5000) {
    const pipeline = into.pipeline();
    for (let i = start; i < start + 5000; i++) {
      const id = i % 2 === 0 ? largest : (groups[1 + ((i >> 1) % 4)] ?? largest);
      pipeline
        .zadd(keys.failedJobs(id), now - i, `failed-${i}`)
        .hset(keys.job("copy-object", `failed-${i}`), "failure", id);
    }
    await pipeline.exec();
  }
  return largest;
}

async function fillBatches(): Promise<string> {
  const producer = createProducer({ redis: client, prefix: PREFIX, documents });
  let last = "";
  for (let i = 0; i < BATCHES; i++) {
    const { id } = await producer.batches.start({
      operation: "copy",
      source: { bucket: "in", prefix: `${i}/` },
      destination: { bucket: "out" },
    });
    last = id;
  }
  await producer.close();
  return last;
}

/** In a process of its own, so that its memory is its own. */
async function startDashboard(): Promise<{ url: string; stop: () => Promise<void> }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "../../dashboard/main.ts")], {
    env: {
      ...process.env,
      REDIS_URL: redis.url,
      BUCKETLINE_PREFIX: PREFIX,
      DOCUMENTS_URL: documents,
      BUCKETLINE_DASHBOARD_PORT: "0",
      BUCKETLINE_DASHBOARD_REQUESTS_PER_MINUTE: "1000000",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const stop = async () => {
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    await ended;
  };
  for await (const line of createInterface({ input: child.stdout })) {
    const { url: address } = JSON.parse(line) as { url?: string };
    if (address !== undefined) return { url: address, stop };
  }
  throw new Error("the dashboard did not start");
}

async function memoryOf(at: string): Promise<number> {
  const text = await (await fetch(new URL("/metrics", at))).text();
  return Number(/^process_resident_memory_bytes (\S+)/m.exec(text)?.[1]);
}

async function openStreams(count: number): Promise<AbortController> {
  const controller = new AbortController();
  for (let i = 0; i < count; i++) {
    const response = await fetch(new URL(`/api/events?batch=${batch}`, url), { signal: controller.signal });
    // Read and forgotten; the abort ends it.
    void response.body?.pipeTo(new WritableStream(), { signal: controller.signal }).catch(() => undefined);
  }
  return controller;
}
