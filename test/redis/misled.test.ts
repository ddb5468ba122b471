import { expect, type onTestFinished, test, vi } from "vitest";
import { checkRedis } from "../../cli/check/redis.ts";
import { createProducer } from "../../producer/index.ts";
import { findProgram } from "../../sandbox/redis-engine.ts";
import { all } from "../batch-harness.ts";
import { startServer } from "../faults/redis/server.ts";
import { observeWorker } from "./observed-worker.ts";

const hasRedis = findProgram("redis-server", process.env["PATH"] ?? "") !== undefined;

/** Tests that wait most of their time, side by side: each ends what it started itself. */
type Ends = { readonly onTestFinished: typeof onTestFinished };

async function startWatched({ onTestFinished }: Ends) {
  const master = await startServer({});
  onTestFinished(() => master.stop());
  const sentinel = await startServer({}, [`sentinel monitor main 127.0.0.1 ${master.port} 1`]);
  onTestFinished(() => sentinel.stop());
  return sentinel;
}

const WRONG = {
  "another name for the master": {
    path: "other",
    secret: false,
    said: /the sentinels know no master by the name other /,
  },
  "a sentinel that wants a password": {
    path: "main",
    secret: true,
    said: /the sentinels let nobody in \(NOAUTH\).*sentinelPassword/,
  },
  "a wrong password of the sentinel": {
    path: "main?sentinelPassword=wrong",
    secret: true,
    said: /the sentinels let nobody in \(WRONGPASS\).*sentinelPassword/,
  },
};

// Sentinels are nothing that Docker alone gives us.
test.skipIf(!hasRedis).for(Object.entries(WRONG))(
  "whoever is misled about the sentinels is told how: %s",
  { concurrent: true, timeout: 60_000 },
  async ([, { path, secret, said }], { onTestFinished }) => {
    const sentinel = await startWatched({ onTestFinished });
    if (secret) await sentinel.cli("ACL", "SETUSER", "default", "resetpass", ">right");
    const redis = `redis+sentinel://127.0.0.1:${sentinel.port}/${path}`;
    const worker = await observeWorker({ redis, onTestFinished });
    const producer = createProducer({ redis, prefix: worker.prefix, redisTimeout: 4000 });
    onTestFinished(() => producer.close());
    const error = await producer.enqueue("head-bucket", { bucket: "in" }).catch((thrown: unknown) => String(thrown));
    const findings = await all(checkRedis(redis, worker.prefix));
    expect(await worker.probe("/readyz")).toBe(503);
    await vi.waitFor(() => expect(worker.lines.join("")).toMatch(said), 20_000);
    expect(error).toMatch(said);
    expect(JSON.stringify(findings)).toMatch(said);
  },
);

// Another server than one that is started here cannot be kept busy.
test.skipIf(!hasRedis)(
  "a Redis that is busy with a script at the start is waited for",
  { concurrent: true, timeout: 60_000 },
  async ({ onTestFinished }) => {
    const server = await startServer({ "busy-reply-threshold": 50 });
    onTestFinished(() => server.stop());
    const script = server.cli("EVAL", "while true do end", 0).catch(() => "killed");
    await vi.waitFor(async () => expect(await server.cli("GET", "x")).toMatch(/BUSY/), 10_000);
    const worker = await observeWorker({ redis: `redis://127.0.0.1:${server.port}`, onTestFinished });
    const ended = vi.fn<(error: unknown) => void>();
    worker.started.catch(ended);
    await vi.waitFor(() => expect(worker.lines.join("")).toMatch(/BUSY/), 20_000);
    expect(ended).not.toHaveBeenCalled();
    expect(await worker.probe("/readyz")).toBe(503);
    await server.cli("SCRIPT", "KILL");
    await script;
    await worker.started;
  },
);
