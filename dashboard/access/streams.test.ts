import { get, type IncomingMessage } from "node:http";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { accounts, type DashboardHarness, signIn, startDashboardHarness } from "../../test/dashboard-harness.ts";

let dashboard: DashboardHarness;
let known: Awaited<ReturnType<typeof accounts>>;
beforeAll(async () => {
  known = await accounts();
  dashboard = await startDashboardHarness({ env: known.env });
});
afterAll(() => dashboard.close());

/** Opens a stream and keeps it open until the test ends. */
async function open(path: string, headers: Readonly<Record<string, string>>) {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(dashboard.url + path, { headers, agent: false }, resolve).on("error", reject);
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
  const own = await Promise.all(Array.from({ length: 55 }, () => open(path, known.viewer)));
  expect(own.filter(({ status }) => status === 200)).toHaveLength(50);
  expect(own.filter(({ status }) => status === 429)).toHaveLength(5);
  expect((await open(path, known.operator)).status).toBe(200);
});

test("the newest page of one reader goes on, the oldest ends and says why", async () => {
  const first = await open("/api/events", known.viewer);
  await vi.waitFor(() => expect(first.text()).toContain("event: overview"));
  const others = [];
  for (let n = 0; n < 50; n++) others.push(await open("/api/events", known.viewer));
  expect(others.every(({ status }) => status === 200)).toBe(true);
  await vi.waitFor(() => expect(first.ended()).toBe(true));
  expect(first.text()).toContain("event: replaced");
  expect(others.at(-1)?.ended()).toBe(false);
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
