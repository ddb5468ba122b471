import dns from "node:dns";
import { expect, onTestFinished, test, vi } from "vitest";
import { createProducer } from "../../producer/index.ts";
import { startRedis } from "../../sandbox/index.ts";
import { findProgram } from "../../sandbox/redis-engine.ts";
import { startDashboardHarness } from "../dashboard-harness.ts";
import { freePort, startServer } from "../faults/redis/server.ts";
import { startFront } from "./front.ts";
import { observeWorker } from "./observed-worker.ts";

/** A name that leads where the test says; every other one is looked up as ever. */
function name(host: string, first: string) {
  const state = { address: first };
  const real = dns.lookup;
  const spy = vi.spyOn(dns, "lookup").mockImplementation(((
    asked: string,
    options: { all?: boolean },
    done: (...args: unknown[]) => void,
  ) => {
    if (asked !== host) return real(asked, options as never, done as never);
    if (options.all) return done(null, [{ address: state.address, family: 4 }]);
    return done(null, state.address, 4);
  }) as never);
  onTestFinished(() => spy.mockRestore());
  return { leadTo: (address: string) => void (state.address = address) };
}

test("a name that leads to another address is followed by workers, producers and dashboards whose old connections hang", async () => {
  const [one, two] = [await startRedis(), await startRedis()];
  onTestFinished(async () => {
    await Promise.all([one.stop(), two.stop()]);
  });
  const before = await startFront(Number(new URL(one.url).port));
  await startFront(Number(new URL(two.url).port), { host: "127.0.0.2", port: before.port });
  const { leadTo } = name("redis.test", "127.0.0.1");
  const redis = `redis://redis.test:${before.port}`;
  const worker = await observeWorker({ redis });
  await worker.started;
  const { prefix, documents, sandbox } = worker;
  const producer = createProducer({ redis, prefix, documents, redisTimeout: 60_000 });
  onTestFinished(() => producer.close());
  const dashboard = await startDashboardHarness({ redis, prefix });
  onTestFinished(() => dashboard.close());
  sandbox.createBucket("in");
  await producer.run("head-bucket", { bucket: "in" }, { timeout: 20_000 });
  leadTo("127.0.0.2");
  before.hang();
  before.swallowNew(true);
  await producer.run("head-bucket", { bucket: "in" }, { timeout: 40_000 });
  const direct = createProducer({ redis: two.url, prefix, documents });
  onTestFinished(() => direct.close());
  await direct.run("head-bucket", { bucket: "in" }, { timeout: 20_000 });
  await vi.waitFor(async () => expect(await worker.probe("/readyz")).toBe(200), 20_000);
  await vi.waitFor(async () => expect((await dashboard.send("/api/overview")).status).toBe(200), 20_000);
}, 120_000);

// Docker alone cannot announce an address of our choice.
test.skipIf(findProgram("redis-server", process.env["PATH"] ?? "") === undefined)(
  "a cluster whose nodes tell addresses that lead nowhere is reached by natMap, by workers, producers and dashboards",
  async () => {
    const node = await startServer({
      "cluster-enabled": "yes",
      "cluster-port": await freePort(),
      "cluster-announce-ip": "10.255.255.1",
      "cluster-announce-port": 7000,
    });
    onTestFinished(() => node.stop());
    await node.cli("CLUSTER", "ADDSLOTSRANGE", 0, 16_383);
    await vi.waitFor(async () => expect(await node.cli("CLUSTER", "INFO")).toContain("cluster_state:ok"), 10_000);
    const redis = `redis+cluster://127.0.0.1:${node.port}?natMap=10.255.255.1:7000=127.0.0.1:${node.port}`;
    const worker = await observeWorker({ redis, prefix: "{app}" });
    await worker.started;
    const { prefix, documents, sandbox } = worker;
    const producer = createProducer({ redis, prefix, documents });
    onTestFinished(() => producer.close());
    sandbox.createBucket("in");
    await producer.run("head-bucket", { bucket: "in" }, { timeout: 20_000 });
    const dashboard = await startDashboardHarness({
      redis: `redis+cluster://127.0.0.1:${node.port}?natMap=10.255.255.1:7000=127.0.0.1:${node.port}`,
      prefix,
    });
    onTestFinished(() => dashboard.close());
    expect((await dashboard.send("/api/overview")).status).toBe(200);
    expect(await worker.probe("/readyz")).toBe(200);
  },
  60_000,
);

test("a reader of the dashboard's events is told of the trouble while its Redis hangs, and gets figures again on the same stream", async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const front = await startFront(Number(new URL(redis.url).port));
  const dashboard = await startDashboardHarness({ redis: front.url });
  onTestFinished(() => dashboard.close());
  const leaving = new AbortController();
  const answer = await fetch(`${dashboard.url}/api/events`, { signal: leaving.signal });
  let told = "";
  const reading = (async () => {
    for await (const bytes of answer.body ?? []) told += Buffer.from(bytes as Uint8Array).toString();
  })().catch(() => undefined); // it leaves at the end
  onTestFinished(async () => {
    leaving.abort();
    await reading;
  });
  await vi.waitFor(() => expect(told).toMatch(/^event: (?!trouble|tick)\w+/m), 20_000);
  front.hang();
  await vi.waitFor(() => expect(told).toContain("event: trouble"), 40_000);
  const trouble = told.length;
  await vi.waitFor(() => expect(told.slice(trouble)).toMatch(/^event: (?!trouble)\w+/m), 40_000);
}, 120_000);
