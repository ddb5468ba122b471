import { Agent, get, type IncomingMessage } from "node:http";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { type RedisServer, startRedis } from "../../sandbox/index.ts";
import { accounts, type DashboardHarness, signIn, startDashboardHarness } from "../../test/dashboard-harness.ts";

let redis: RedisServer;
let dashboard: DashboardHarness;
let known: ReturnType<typeof accounts>;
beforeAll(async () => {
  known = accounts();
  // Its commands are counted: those of other tests must not be among them.
  redis = await startRedis();
  dashboard = await startDashboardHarness({ env: known.env, redis: redis.url });
});
afterAll(async () => {
  await dashboard.close();
  await redis.stop();
});

/** Opens a stream and keeps it open until the test ends. */
async function open(path: string, headers: Readonly<Record<string, string>>, agent: Agent | false = false) {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(dashboard.url + path, { headers, agent }, resolve).on("error", reject);
  });
  let text = "";
  response.on("data", (data: Buffer) => (text += data.toString())).on("error", () => {});
  onTestFinished(() => void response.destroy());
  return { status: response.statusCode, text: () => text, ended: () => response.readableEnded };
}

async function startBatch(): Promise<string> {
  const answer = await dashboard.send("/api/batches", {
    method: "POST",
    headers: known.operator,
    body: { operation: "delete", source: { items: [{ bucket: "in-1", key: "a" }] } },
  });
  return String(answer.json()["id"]);
}

test("one reader has so many streams of batches, and leaves places for others", async () => {
  const path = `/api/batches/${await startBatch()}/events`;
  const own = await Promise.all(Array.from({ length: 255 }, () => open(path, known.viewer)));
  expect(own.filter(({ status }) => status === 200)).toHaveLength(250);
  expect(own.filter(({ status }) => status === 429)).toHaveLength(5);
  expect((await open(path, known.operator)).status).toBe(200);
  // The newest page of that reader goes on, the oldest stream ends and says why.
  const page = await open("/api/events", known.viewer);
  await vi.waitFor(() => expect(own.filter((stream) => stream.ended())).toHaveLength(6));
  expect(own.filter(({ text }) => text().endsWith("event: replaced\ndata: {}\n\n"))).toHaveLength(1);
  expect(page.ended()).toBe(false);
});

test("two hundred readers of one address cost Redis about what one costs", { timeout: 60_000 }, async () => {
  const commands = async () => Number(/total_commands_processed:(\d+)/.exec(await dashboard.redis.info("stats"))?.[1]);
  const heardBy = ({ text }: { text(): string }) => text().match(/^event: /gm)?.length ?? 0;
  /** Commands for each time that the first reader was told something: on a busy machine the others hear of it later. */
  const costOf = async (readers: readonly { text(): string }[]) => {
    const [before, heard] = [await commands(), readers.map(heardBy)];
    const since = () => readers.map((reader, index) => heardBy(reader) - (heard[index] ?? 0));
    await vi.waitFor(() => expect(Math.min(...since())).toBeGreaterThan(2), { timeout: 20_000 });
    return ((await commands()) - before) / (since()[0] ?? 1);
  };
  const first = await open("/api/events", known.viewer);
  const one = await costOf([first]);
  const others = await Promise.all(Array.from({ length: 199 }, () => open("/api/events", known.viewer)));
  expect(others.filter(({ status }) => status !== 200)).toEqual([]);
  // And not two hundred times as much: a turn that takes longer than what is shown stays fresh looks more than once.
  expect(await costOf([first, ...others])).toBeLessThan(20 * one);
});

test("windows of one browser leave it connections for pages", async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 6 });
  onTestFinished(() => agent.destroy());
  const cookie = await signIn(dashboard, "vic", known.password);
  const windows = [];
  for (let n = 0; n < 7; n++) windows.push(open("/api/events", { cookie, "user-agent": "browser" }, agent));
  const seventh = await Promise.all(windows);
  expect(seventh.map(({ status }) => status)).toEqual(Array.from({ length: 7 }, () => 200));
  expect((await open("/", { cookie }, agent)).status).toBe(200);
  expect(seventh.filter((stream) => stream.text().includes("event: replaced"))).toHaveLength(2);
});

test("streams of both kinds end soon after their session", { timeout: 40_000 }, async () => {
  const cookie = await signIn(dashboard, "vic", known.password);
  const streams = [
    await open(`/api/batches/${await startBatch()}/events`, { cookie }),
    await open("/api/events", { cookie }),
  ];
  const headers = { cookie, origin: dashboard.url };
  expect((await dashboard.send("/api/session", { method: "DELETE", headers })).status).toBe(204);
  await vi.waitFor(() => expect(streams.map((stream) => stream.ended())).toEqual([true, true]), { timeout: 30_000 });
  for (const stream of streams) expect(stream.text()).toMatch(/event: end\ndata: \{\}\n\n$/);
});

test("BullMQ's own keys are no jobs for bull-board either", async () => {
  const path = "/queues/api/queues/list-objects";
  const put = (end: string) => dashboard.send(path + end, { method: "PUT", headers: known.operator, body: {} });
  expect((await put("/pause")).status).toBe(200);
  const meta = `${dashboard.prefix}:list-objects:meta`;
  for (const id of ["meta", "wait", "events", "stalled-check", "id", "a:lock"]) {
    for (const action of ["clean", "retry", "promote", "delay", "priority"])
      expect([id, action, (await put(`/${id}/${action}`)).status]).toEqual([id, action, 404]);
    expect([id, (await dashboard.send(`${path}/${id}`, { headers: known.viewer })).status]).toEqual([id, 404]);
  }
  expect(await dashboard.redis.hget(meta, "paused")).toBe("1");
});

test("no odd request of a viewer counts as a failure of the dashboard", async () => {
  for (const path of [
    "/queues/api/job-schedulers?queueName=%25",
    "/queues/api/queues?activeQueue=%25&page=x&jobsPerPage=-1",
    "/queues/api/queues/nothing/1",
    "/queues/api/queues/list-objects/%25",
  ])
    expect([path, (await dashboard.send(path, { headers: known.viewer })).status < 500]).toEqual([path, true]);
});
