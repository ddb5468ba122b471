import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { noteFailure } from "../../jobs/failures.ts";
import { ActivityError } from "../../model/activity-error.ts";
import { redisKeys } from "../../redis/keys.ts";
import type { Benchmark, BenchContext } from "../benchmark.ts";
import { BATCHES, fillBatches, fillJobs, fillProblems, JOBS, PREFIX } from "../lab/fill-dashboard.ts";
import { type Lab, openLab } from "../lab/open.ts";
import { cpuMs } from "../lab/process-usage.ts";
import type { Figure } from "../results/figure.ts";
import { median } from "../results/statistics.ts";

const MAX_MS = 300;
/** A search looks at as much as one answer may take, and says where to go on. */
const MAX_SEARCH_MS = 500;
const MAX_MIB = 200;
const MAX_SHARE = 5;
const READERS = 50;
/** Failed jobs, and their notes, over which the cost of a note is measured. */
const FAILING = 2000;
const ROUNDS = 9;
const WARMING = 2;

/** How fast the dashboard answers, how much memory it holds, and what its index of failures costs. */
export const dashboard: Benchmark = {
  name: "dashboard",
  title: "the dashboard's answers over 300,000 jobs, 100,000 of them failed, and 1,000 batches",
  onDemand: true,
  async run(context) {
    const { say, quick } = context;
    const lab = await openLab(context);
    const cost = await costOfNotes(lab, say);
    say(
      `filling Redis: ${JOBS.toLocaleString("en")} jobs in each of three states, ${BATCHES.toLocaleString("en")} batches`,
    );
    const redis = lab.connect();
    await fillJobs(redis);
    const group = await fillProblems(redis);
    const producer = lab.producer(PREFIX);
    const batch = await fillBatches(producer);
    const url = await startDashboard(lab, context);
    const answers = await timeAnswers(url, { group, batch, rounds: quick ? 3 : 15 }, say);
    const memory = await memoryOf(url);
    const readers = await openStreams(url, batch);
    await new Promise((resolve) => setTimeout(resolve, 5000));
    const withReaders = await memoryOf(url);
    readers.abort();
    const most = (value: number) => ({ on: "value", atMost: value }) as const;
    return {
      figures: [
        { name: "slowest page or answer", value: answers.page, unit: "ms", bound: most(MAX_MS) },
        { name: "slowest answer of the search", value: answers.search, unit: "ms", bound: most(MAX_SEARCH_MS) },
        { name: "memory", value: memory, unit: "MiB", bound: most(MAX_MIB) },
        { name: `memory with ${READERS} event streams`, value: withReaders, unit: "MiB", bound: most(MAX_MIB) },
        ...cost,
      ],
      notes: [
        `Redis holds ${JOBS.toLocaleString("en")} waiting, failed and completed jobs of one activity each, and ${BATCHES.toLocaleString("en")} batches. Each answer is asked for several times, the first time and after a second without what is kept for a moment.`,
        "Only a job that fails is noted in the index: the share is what it costs more than to write the error into the job alone, of the processor time that a failing head-object takes its worker.",
      ],
    };
  },
};

/** What a note of a failure costs beside the whole of the job that failed, in processor time. */
async function costOfNotes(lab: Lab, say: (line: string) => void): Promise<Figure[]> {
  say("measuring what a failed job costs, and its note in the index");
  await lab.server.control.createBucket("none");
  const worker = await lab.worker({ concurrency: { "head-object": 64 }, prefix: "notes" });
  const producer = lab.producer("notes");
  const fail = async (round: string) => {
    const inputs = Array.from({ length: FAILING }, (_, i) => ({ object: { bucket: "none", key: `${round}-${i}` } }));
    const jobs = await producer.enqueueMany("head-object", inputs, { attempts: 1 });
    await Promise.all(jobs.map((job) => job.succeeded()));
  };
  await fail("warm");
  const before = cpuMs(worker.pid);
  await fail("cold");
  const job = ((cpuMs(worker.pid) - before) * 1000) / FAILING;
  const added = await addedByIndex(lab);
  return [
    { name: "a failing job, processor time of its worker", value: job, unit: "µs" },
    {
      name: "of that: the index of failures",
      value: (100 * added) / job,
      unit: "%",
      bound: { on: "value", atMost: MAX_SHARE },
    },
  ];
}

/** What a note costs more than to write the error into the job alone, in µs of processor time; as many at once as a worker has jobs. */
async function addedByIndex(lab: Lab): Promise<number> {
  const redis = lab.connect();
  const keys = redisKeys("noted");
  const error = new ActivityError("NoSuchKey", "no object s3://none/a", { httpStatus: 404 });
  const jobs = Array.from({ length: FAILING }, (_, i) => `j${i}`);
  for (const id of jobs) await redis.hset(keys.job("head-object", id), "timestamp", 1);
  const note = (id: string) =>
    noteFailure(redis, keys, {
      activity: "head-object",
      id,
      data: { object: { bucket: "none", key: id } },
      error,
      failed: { at: Date.now(), ms: 3, code: "NoSuchKey", worker: "bench" },
      final: true,
    });
  const plain = (id: string) => redis.hset(keys.job("head-object", id), "error", JSON.stringify(error));
  const costs: number[] = [];
  for (let round = 0; round < ROUNDS; round++) costs.push((await cpuUsOf(jobs, note)) - (await cpuUsOf(jobs, plain)));
  return median(costs.slice(WARMING));
}

async function cpuUsOf(jobs: readonly string[], write: (id: string) => Promise<unknown>): Promise<number> {
  const left = [...jobs];
  const lane = async () => {
    for (let id = left.pop(); id !== undefined; id = left.pop()) await write(id);
  };
  const started = process.cpuUsage();
  await Promise.all(Array.from({ length: 64 }, lane));
  const { user, system } = process.cpuUsage(started);
  return (user + system) / jobs.length;
}

type Asked = { readonly group: string; readonly batch: string; readonly rounds: number };

function pathsOf({ group, batch }: Asked): readonly (readonly [name: string, path: string])[] {
  return [
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
  ];
}

/** The slowest of all pages and answers, and of all searches, in ms. */
async function timeAnswers(
  url: string,
  asked: Asked,
  say: (line: string) => void,
): Promise<{ readonly page: number; readonly search: number }> {
  const slowest = { page: 0, search: 0 };
  for (const [name, path] of pathsOf(asked)) {
    const times: number[] = [];
    let bytes = 0;
    for (let round = 0; round < asked.rounds; round++) {
      const startedAt = performance.now();
      const response = await fetch(new URL(path, url));
      const body = await response.arrayBuffer();
      times.push(performance.now() - startedAt);
      bytes = body.byteLength;
      if (!response.ok)
        throw new Error(`${path} was answered with ${response.status}: ${new TextDecoder().decode(body)}`);
      // Past what is kept for a moment, so that each look is a fresh one.
      await new Promise((resolve) => setTimeout(resolve, round < 3 ? 1000 : 20));
    }
    const max = Math.max(...times);
    const kind = name.startsWith("search") ? "search" : "page";
    slowest[kind] = Math.max(slowest[kind], max);
    say(
      `${name.padEnd(34)} p50 ${median(times).toFixed(1)} ms, slowest ${max.toFixed(1)} ms, ${(bytes / 1024).toFixed(0)} KiB`,
    );
  }
  return slowest;
}

/** In a process of its own, so that its memory is its own. */
async function startDashboard({ redis, folder }: Lab, { stack }: BenchContext): Promise<string> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "../../dashboard/main.ts")], {
    env: {
      ...process.env,
      REDIS_URL: redis,
      BUCKETLINE_PREFIX: PREFIX,
      DOCUMENTS_URL: pathToFileURL(join(folder, "documents")).href,
      BUCKETLINE_DASHBOARD_PORT: "0",
      BUCKETLINE_DASHBOARD_BULL_BOARD: "true",
      BUCKETLINE_DASHBOARD_REQUESTS_PER_MINUTE: "1000000",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  stack.defer(async () => {
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    await ended;
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const { url: address } = JSON.parse(line) as { url?: string };
    if (address !== undefined) return address;
  }
  throw new Error("the dashboard did not start");
}

/** MiB. */
async function memoryOf(at: string): Promise<number> {
  const text = await (await fetch(new URL("/metrics", at))).text();
  return Number(/^process_resident_memory_bytes (\S+)/m.exec(text)?.[1]) / 1024 ** 2;
}

async function openStreams(url: string, batch: string): Promise<AbortController> {
  const controller = new AbortController();
  for (let i = 0; i < READERS; i++) {
    const response = await fetch(new URL(`/api/events?batch=${batch}`, url), { signal: controller.signal });
    // Read and forgotten; the abort ends it.
    void response.body?.pipeTo(new WritableStream(), { signal: controller.signal }).catch(() => undefined);
  }
  return controller;
}
