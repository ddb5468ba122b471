import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DashboardHarness, startDashboardHarness } from "../../test/dashboard-harness.ts";
import { createToken } from "../password-hash.ts";
import { parseTokens } from "./entries.ts";
import { isInScope } from "./scope.ts";
import { touchedByBatch, touchedByJob } from "./touched.ts";

const hash = "a".repeat(64);

describe("a token's entry", () => {
  test("may say what it is for", () => {
    const { entries, problems } = parseTokens(
      `importer:operator:${hash}:prefixes=in/|a%2Cb%3A%7C/:activities=put-object|head-object:expires=2030-01-31:buckets=in1|logs-*`,
    );
    expect(problems).toEqual([]);
    expect(entries[0]?.scope).toEqual({
      activities: ["put-object", "head-object"],
      buckets: ["in1", "logs-*"],
      prefixes: ["in/", "a,b:|/"],
    });
  });

  test.each([
    "activities=",
    "activities=fly",
    "activities=*",
    "buckets=",
    "buckets=a/b",
    "buckets=[",
    "prefixes=",
    "prefixes=a|",
    "prefixes=%",
    "bucket=in1",
    "activities=put-object:activities=get-object",
    "__proto__=x",
    "expires=2030-02-31",
  ])("is refused with %s", (option) => {
    expect(parseTokens(`importer:operator:${hash}:${option}`)).toMatchObject({
      entries: [],
      problems: [expect.stringContaining("expected")],
    });
  });
});

describe("a scope", () => {
  const scope = { activities: ["get-object", "copy-object", "head-bucket"], buckets: ["in?"], prefixes: ["in/"] };
  test.each([
    [{ activity: "get-object", bucket: "in1", key: "in/a" }, true],
    [{ activity: "get-object", bucket: "in1", key: "out/a" }, false],
    [{ activity: "get-object", bucket: "out", key: "in/a" }, false],
    [{ activity: "get-object", bucket: "in1", key: "in/../out/a" }, false],
    [{ activity: "put-object", bucket: "in1", key: "in/a" }, false],
    [{ activity: "copy-object", bucket: "in1", prefix: "in/" }, true],
    [{ activity: "copy-object", bucket: "in1", prefix: "in/deep/" }, true],
    [{ activity: "copy-object", bucket: "in1", prefix: "i" }, false],
    [{ activity: "copy-object", bucket: "in1", prefix: "" }, false],
    [{ activity: "copy-object", bucket: "in1", prefix: "in/../" }, false],
    [{ activity: "copy-object" }, false],
    [{ activity: "get-object", bucket: "in1" }, false],
    [{ activity: "head-bucket", bucket: "in1" }, true],
    [{ activity: "constructor", bucket: "in1", key: "in/a" }, false],
  ])("%j is within: %s", (touched, expected) => expect(isInScope(scope, touched)).toBe(expected));

  test("knows both ends of jobs, and what a presigned URL does", () => {
    const copy = { object: { bucket: "in1", key: "a" }, destination: { bucket: "out", key: "b" } };
    expect(touchedByJob("move-object", copy)).toEqual([
      expect.objectContaining({ activity: "move-object", bucket: "in1", key: "a" }),
      expect.objectContaining({ activity: "move-object", bucket: "out", key: "b" }),
    ]);
    const presign = touchedByJob("presign-object", { object: { bucket: "in1", key: "a" }, method: "delete" });
    expect(presign.map(({ activity }) => activity)).toEqual(["presign-object", "delete-object"]);
    expect(touchedByJob("constructor", {})).toEqual([{ activity: "constructor" }]);
    expect(touchedByJob("get-object", "no input")).toEqual([{ activity: "get-object" }]);
  });

  test("knows both ends of batches, each of their items, and that nobody knows a manifest's", () => {
    const of = (source: object, destination?: object) =>
      touchedByBatch({ operation: destination ? "copy" : "delete", source, ...(destination && { destination }) });
    expect(of({ bucket: "in1", prefix: "a/" }, { bucket: "out", prefix: "b/" })).toMatchObject([
      { activity: "copy-object", bucket: "in1", prefix: "a/" },
      { activity: "copy-object", bucket: "out", prefix: "b/" },
    ]);
    expect(of({ bucket: "in1", prefix: "a/" }, { bucket: "out" })[1]).toMatchObject({ bucket: "out", prefix: "a/" });
    expect(
      of(
        {
          items: [
            { bucket: "in1", key: "a" },
            { bucket: "in2", key: "b", destinationKey: "c" },
          ],
        },
        { bucket: "out", prefix: "p/" },
      ),
    ).toMatchObject([
      { bucket: "in1", key: "a" },
      { bucket: "out", key: "p/a" },
      { bucket: "in2", key: "b" },
      { bucket: "out", key: "c" },
    ]);
    expect(touchedByBatch({ operation: "delete" })).toEqual([{ activity: "batch" }]);
  });
});

describe("a token with a scope", () => {
  const [limited, whole] = [createToken(), createToken()];
  const own = { authorization: `Bearer ${limited.token}` };
  const all = { authorization: `Bearer ${whole.token}` };
  let dashboard: DashboardHarness;

  beforeAll(async () => {
    const scope = "activities=get-object|head-object|delete-object:buckets=in1:prefixes=in/";
    dashboard = await startDashboardHarness({
      env: {
        BUCKETLINE_DASHBOARD_TOKENS: `limited:operator:${limited.hash}:${scope}\nwhole:operator:${whole.hash}`,
      },
    });
  });
  afterAll(() => dashboard.close());

  const post = (path: string, body: object, headers = own) => dashboard.send(path, { method: "POST", body, headers });
  const enqueue = async (key: string, headers = own) => {
    const answer = await post("/api/activities/head-object/jobs", { object: { bucket: "in1", key } }, headers);
    return { status: answer.status, id: String(answer.json()["id"]) };
  };
  const startBatch = async (prefix: string, headers = own) => {
    const answer = await post("/api/batches", { operation: "delete", source: { bucket: "in1", prefix } }, headers);
    return { status: answer.status, id: String(answer.json()["id"]) };
  };

  test("enqueues what its scope covers and nothing else", async () => {
    expect((await enqueue("in/a")).status).toBe(202);
    expect((await enqueue("out/a")).status).toBe(403);
    const copy = { object: { bucket: "in1", key: "in/a" }, destination: { bucket: "in1", key: "in/b" } };
    const refused = await post("/api/activities/copy-object/jobs", copy);
    expect([refused.status, refused.json()["code"]]).toEqual([403, "OutOfScope"]);
    for (const name of ["list-buckets", "validate-credentials"])
      expect((await post(`/api/activities/${name}/jobs`, {})).status).toBe(403);
  });

  test("sees, cancels and repeats the jobs of its scope alone", async () => {
    const mine = await enqueue("in/a");
    const theirs = await enqueue("out/a", all);
    const paths = (id: string) => [
      ["GET", `/api/jobs/head-object/${id}`],
      ["GET", `/api/jobs/head-object/${id}/wait?timeout=0`],
      ["POST", `/api/jobs/head-object/${id}/cancel`],
      ["POST", `/api/jobs/head-object/${id}/retry`],
    ];
    for (const [method = "", path = ""] of paths(theirs.id))
      expect([path, (await dashboard.send(path, { method, headers: own })).status]).toEqual([path, 403]);
    expect((await dashboard.send(`/api/jobs?id=${theirs.id}`, { headers: own })).json()).toEqual({ jobs: [] });
    expect((await dashboard.send(`/api/jobs?id=${mine.id}`, { headers: own })).json()["jobs"]).toHaveLength(1);
    expect((await dashboard.send("/api/jobs/head-object?state=waiting", { headers: own })).status).toBe(403);
    expect((await dashboard.send(`/api/jobs/head-object/${mine.id}`, { headers: own })).status).toBe(200);
    expect((await post(`/api/jobs/head-object/${mine.id}/cancel`, {})).status).toBe(202);
  });

  test("is told of BullMQ's own keys that they are none of its jobs", async () => {
    await enqueue("in/a");
    for (const id of ["wait", "id", "meta", "events"])
      expect([id, (await dashboard.send(`/api/jobs/head-object/${id}`, { headers: own })).status]).toEqual([id, 403]);
  });

  test("starts, sees and steers the batches of its scope alone", async () => {
    expect((await startBatch("")).status).toBe(403);
    expect((await startBatch("out/")).status).toBe(403);
    const mine = await startBatch("in/old/");
    expect(mine.status).toBe(201);
    const theirs = await startBatch("", all);
    const verbs = ["pause", "resume", "cancel", "confirm", "retry-failed"];
    for (const verb of verbs)
      expect([verb, (await post(`/api/batches/${theirs.id}/${verb}`, {})).status]).toEqual([verb, 403]);
    expect((await post(`/api/batches/${theirs.id}/priority`, { priority: 1 })).status).toBe(403);
    for (const part of ["", "/failures", "/throughput", "/report", "/events"])
      expect([part, (await dashboard.send(`/api/batches/${theirs.id}${part}`, { headers: own })).status]).toEqual([
        part,
        403,
      ]);
    const { batches } = (await dashboard.send("/api/batches", { headers: own })).json() as unknown as {
      batches: readonly { readonly id: string }[];
    };
    expect(batches.map(({ id }) => id)).toEqual([mine.id]);
    expect((await post(`/api/batches/${mine.id}/pause`, {})).status).toBe(200);
  });

  test("is refused wherever a route does not say what it touches", async () => {
    const { paths } = (await dashboard.send("/api/openapi.json", { headers: own })).json() as unknown as {
      paths: Record<string, Record<string, unknown>>;
    };
    const open = new Set([
      "/api/activities",
      "/api/batches",
      "/api/jobs",
      "/api/openapi.json",
      "/api/operations",
      "/api/session",
    ]);
    const shown: string[] = [];
    for (const path of Object.keys(paths).filter((each) => !each.startsWith("/api/documents") && !open.has(each))) {
      if (paths[path]?.["get"] === undefined) continue;
      const { status } = await dashboard.send(path.replaceAll(/\{\w+\}/g, "list-buckets"), { headers: own });
      if (status < 400) shown.push(path);
    }
    expect(shown).toEqual([]);
    for (const path of ["/", "/jobs", "/metrics", "/queues/", "/queues/api/queues"])
      expect([path, (await dashboard.send(path, { headers: own })).status]).toEqual([path, 403]);
    const { status } = await dashboard.send("/queues/api/queues/list-buckets/pause", { method: "PUT", headers: own });
    expect(status).toBe(403);
  });

  test("reads and deletes documents whose id was drawn, and no report whose id follows from a batch's", async () => {
    const upload = { method: "POST", body: "content", headers: { ...own, "content-type": "text/plain" } };
    const { id } = (await dashboard.send("/api/documents?name=a", upload)).json() as unknown as { id: string };
    expect((await dashboard.send(`/api/documents/${id}`, { headers: own })).status).toBe(200);
    for (const method of ["GET", "HEAD", "DELETE"]) {
      const { status } = await dashboard.send("/api/documents/batch-b12345678-0-0-1", { method, headers: own });
      expect([method, status]).toEqual([method, 403]);
    }
    expect((await dashboard.send("/api/documents/batch-b12345678-0-0-1", { headers: all })).status).toBe(404);
    expect((await dashboard.send(`/api/documents/${id}`, { method: "DELETE", headers: own })).status).toBe(204);
  });

  test("is told only the activities that it may ask for", async () => {
    const { activities } = (await dashboard.send("/api/activities", { headers: own })).json() as unknown as {
      activities: readonly { readonly name: string }[];
    };
    expect(activities.map(({ name }) => name).toSorted()).toEqual(["delete-object", "get-object", "head-object"]);
  });
});
