import { afterAll, beforeAll, expect, test } from "vitest";
import { accounts, type DashboardHarness, signIn, startDashboardHarness } from "../../test/dashboard-harness.ts";

let dashboard: DashboardHarness;
let known: ReturnType<typeof accounts>;
beforeAll(async () => {
  known = accounts();
  dashboard = await startDashboardHarness({ env: known.env });
});
afterAll(() => dashboard.close());

type Entry = { readonly [field: string]: unknown };
const acts = async (query = "") => {
  const { entries } = (await dashboard.send(`/api/audit${query}`, { headers: known.viewer })).json() as unknown as {
    entries: readonly Entry[];
  };
  return entries;
};
const post = (path: string, body: unknown, headers: Readonly<Record<string, string>>) =>
  dashboard.send(path, { method: "POST", body, headers });

test("a job that was added and cancelled over the API says by whom, and why", async () => {
  const added = await post("/api/activities/list-buckets/jobs", {}, known.operator);
  const id = String(added.json()["id"]);
  const timeline = await dashboard.send(`/api/audit/job/${id}?activity=list-buckets`, { headers: known.viewer });
  expect(timeline.json()["entries"]).toMatchObject([{ action: "job.add", actor: "steer", known: "token", via: "api" }]);
  await post(
    `/api/jobs/list-buckets/${id}/cancel?reason=${encodeURIComponent("wrong account ✋")}`,
    {},
    known.operator,
  );
  expect(await acts(`?kind=job&id=${id}`)).toMatchObject([
    {
      action: "job.cancel",
      actor: "steer",
      reason: "wrong account ✋",
      target: { kind: "job", activity: "list-buckets", id },
    },
    { action: "job.add" },
  ]);
  expect(dashboard.logged()).toContain('"action":"job.cancel"');
});

test("a batch's timeline names the person at the dashboard", async () => {
  const cookie = await signIn(dashboard, "ada", known.password);
  const page = { cookie, origin: dashboard.url, "sec-fetch-site": "same-origin" };
  const batch = await post("/api/batches", { operation: "delete", source: { bucket: "in1", prefix: "old/" } }, page);
  const id = String(batch.json()["id"]);
  await post(`/api/batches/${id}/pause?reason=lunch`, {}, page);
  await post(`/api/batches/${id}/priority`, { priority: 7 }, page);
  const { entries } = (await dashboard.send(`/api/audit/batch/${id}`, { headers: known.viewer })).json();
  expect(entries).toMatchObject([
    { action: "batch.start", actor: "ada", known: "session", via: "dashboard", detail: "delete s3://in1/old/" },
    { action: "batch.pause", actor: "ada", reason: "lunch" },
    { action: "batch.priority", detail: '{"priority":7}' },
  ]);
  expect(await acts("?action=session&actor=ada")).toMatchObject([{ action: "session.sign-in" }]);
});

test("what bull-board changed is written down, too", async () => {
  await dashboard.send("/queues/api/queues/list-buckets/pause", { method: "PUT", headers: known.operator });
  await expect
    .poll(() => acts("?kind=queue"))
    .toMatchObject([{ action: "bull-board.pause", actor: "steer", target: { kind: "queue", id: "list-buckets" } }]);
});

test("nothing is written down of what was refused, and looking leaves no line", async () => {
  const before = await acts();
  await post("/api/jobs/list-buckets/nothing/cancel", {}, known.operator);
  await post("/api/batches", { operation: "fly" }, known.operator);
  await post("/api/activities/list-buckets/jobs", {}, known.viewer);
  await dashboard.send("/api/overview", { headers: known.viewer });
  expect(await acts()).toEqual(before);
});

test.each(["x".repeat(501), "two\nlines", "\u0000"])(
  "a reason that cannot be kept is refused before anything is done",
  async (reason) => {
    const path = `/api/activities/list-buckets/jobs?reason=${encodeURIComponent(reason)}`;
    const { status, text } = await post(path, {}, known.operator);
    expect([status, text]).toEqual([422, expect.stringContaining("reason")]);
  },
);

test("secrets in a reason are taken out", async () => {
  const secret = "AKIAIOSFODNN7EXAMPLE";
  const url = `https://b.s3.amazonaws.com/k?X-Amz-Signature=${"a".repeat(64)}&X-Amz-Credential=${secret}`;
  await post(`/api/activities/list-buckets/jobs?reason=${encodeURIComponent(url)}`, {}, known.operator);
  const [newest] = await acts("?action=job.add");
  expect(JSON.stringify(newest)).not.toContain("a".repeat(64));
});

test("every route that changes something leaves a line, unless it says otherwise", async () => {
  const document = await dashboard.send("/api/documents?name=a.txt", {
    method: "POST",
    body: "content",
    headers: { ...known.operator, "content-type": "text/plain" },
  });
  const id = String(document.json()["id"]);
  await dashboard.send(`/api/documents/${id}`, { headers: known.operator });
  await dashboard.send(`/api/documents/${id}`, { method: "DELETE", headers: known.operator });
  await expect
    .poll(async () => (await acts(`?id=${id}`)).map(({ action }) => action))
    .toEqual(["document.delete", "document.read", "document.add"]);
});
