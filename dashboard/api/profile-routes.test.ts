import { Readable } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { startDashboardHarness } from "../../test/dashboard-harness.ts";
import { startHarness } from "../../test/harness.ts";
import type { ProfileView } from "../profiles/read.ts";

const SLOW = { timeout: 60_000, interval: 200 };

async function start(profiles: Readonly<Record<string, object>>) {
  const harness = await startHarness({ profiles, env: { WRONG_SECRET: "wrong" } });
  const dashboard = await startDashboardHarness({ prefix: harness.prefix, documentsUrl: harness.config.documentsUrl });
  onTestFinished(async () => {
    await dashboard.close();
    await harness.close();
  });
  const all = async () => (await dashboard.send("/api/profiles")).json()["profiles"] as unknown as ProfileView[];
  const one = async (wanted: string) => (await all()).find(({ name }) => name === wanted);
  const prove = (name: string) => dashboard.send(`/api/profiles/${name}/test`, { method: "POST" });
  return { harness, dashboard, one, prove };
}

test("profiles are told without their secrets, proven when asked, and since when they are refused", async () => {
  const { harness, dashboard, one, prove } = await start({
    wrong: { provider: { type: "static", accessKeyId: { env: "S3_KEY" }, secretAccessKey: { env: "WRONG_SECRET" } } },
    narrow: { allow: [{ activities: ["head-object"], buckets: ["in*"], prefixes: ["a/"] }] },
  });
  await expect.poll(() => one("default"), SLOW).toMatchObject({ provider: "static", region: "us-east-1" });
  await expect.poll(() => one("narrow"), SLOW).toMatchObject({ policy: [{ buckets: ["in*"], prefixes: ["a/"] }] });
  expect((await prove("default")).json()).toMatchObject({ accepted: true });
  await expect.poll(async () => (await one("default"))?.provedAt, SLOW).toBeDefined();
  const refused = (await prove("wrong")).json();
  expect(refused).toMatchObject({ accepted: false, error: { code: "SignatureDoesNotMatch" } });
  await expect.poll(() => one("wrong"), SLOW).toMatchObject({ refusedCode: "SignatureDoesNotMatch" });
  const since = (await one("wrong"))?.refusedSince;
  await prove("wrong");
  expect((await one("wrong"))?.refusedSince).toBe(since);
  expect((await prove("nobody")).status).toBe(404);
  const text = (await dashboard.send("/api/profiles")).text;
  expect(text).not.toContain(harness.sandbox.credentials.secretAccessKey);
  expect(text).not.toContain(harness.sandbox.credentials.accessKeyId);
});

test("documents are listed with what they are of", async () => {
  const { harness, dashboard } = await start({});
  const written = await harness.producer.documents.write(Readable.from(["hello"]), {
    name: "a.txt",
    contentType: "text/plain",
  });
  harness.sandbox.createBucket("in");
  harness.sandbox.put("in", "a", "a");
  const batch = await harness.producer.batches.start({ operation: "delete", source: { bucket: "in", prefix: "" } });
  await batch.done();
  const { documents, more } = (await dashboard.send("/api/documents")).json() as unknown as {
    documents: { id: string; name: string; size: number; origin?: string }[];
    more: boolean;
  };
  expect(more).toBe(false);
  expect(documents.find(({ id }) => id === written.id)).toMatchObject({ name: "a.txt", size: 5 });
  expect(documents.map(({ origin }) => origin)).toContain(`/batches/${batch.id}`);
});
