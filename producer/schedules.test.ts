import { Queue } from "bullmq";
import { expect, onTestFinished, test } from "vitest";
import { inlineList, setUp, startWorker } from "./protocol-worker.fixture.ts";
import type { ScheduleRule } from "./schedules.ts";

const input = { bucket: "in-1" };

test("a schedule makes jobs of its activity, with its input and options", async () => {
  const bench = setUp();
  const seen = Promise.withResolvers<{ readonly id: string; readonly data: unknown; readonly attempts: unknown }>();
  await startWorker(bench, "list-objects", async ({ id = "", data, opts }) => {
    seen.resolve({ id, data, attempts: opts.attempts });
    return inlineList("a");
  });
  const schedule = await bench.producer.schedule("often", { every: "1h" }, "list-objects", input, { attempts: 2 });
  expect(schedule).toMatchObject({ id: "often", activity: "list-objects", every: 3_600_000, input });
  const { id, data, attempts } = await seen.promise;
  expect({ data, attempts }).toEqual({ data: input, attempts: 2 });
  expect(await bench.producer.job("list-objects", id).result({ timeout: 10_000 })).toMatchObject({ count: 1 });
});

test("schedules are listed and removed, by whatever producer", async () => {
  const bench = setUp();
  const { producer } = setUp({ prefix: bench.prefix });
  await bench.producer.schedule("nightly", { cron: "0 3 * * *", timezone: "Europe/Berlin" }, "list-objects", input);
  await bench.producer.schedule("hourly", { cron: "30 0 * * * *" }, "head-bucket", input);
  expect(await producer.schedules.list()).toEqual([
    { id: "hourly", activity: "head-bucket", cron: "30 0 * * * *", timezone: "UTC", next: expect.any(Date), input },
    {
      id: "nightly",
      activity: "list-objects",
      cron: "0 3 * * *",
      timezone: "Europe/Berlin",
      next: expect.any(Date),
      input,
    },
  ]);
  expect(await producer.schedules.remove("nightly")).toBe(true);
  expect(await producer.schedules.remove("nightly")).toBe(false);
  expect((await producer.schedules.list()).map(({ id }) => id)).toEqual(["hourly"]);
});

test("cron expressions are read in their timezone", async () => {
  const { producer } = setUp();
  const { next } = await producer.schedule("n", { cron: "0 3 * * *", timezone: "Asia/Kolkata" }, "list-objects", input);
  expect([next.getUTCHours(), next.getUTCMinutes()]).toEqual([21, 30]);
});

test("an id stands for one schedule, also when it changes its activity", async () => {
  const bench = setUp();
  await bench.producer.schedule("nightly", { cron: "0 3 * * *" }, "list-objects", input);
  await bench.producer.schedule("nightly", { cron: "0 4 * * *" }, "list-objects", input);
  await bench.producer.schedule("nightly", { every: 180_000 }, "head-bucket", input);
  expect(await bench.producer.schedules.list()).toMatchObject([{ activity: "head-bucket", every: 180_000 }]);
  const queue = new Queue("list-objects", { connection: bench.client, prefix: bench.prefix });
  onTestFinished(() => queue.close());
  expect(await queue.getJobCountByTypes("delayed", "waiting")).toBe(0);
});

test.each<[unknown, string]>([
  [{ every: 999 }, "every"],
  [{ every: "5 minutes" }, "every"],
  [{ every: "400d" }, "every"],
  [{}, "every"],
  [{ every: "1h", cron: "0 3 * * *" }, "every"],
  [{ every: "1h", timezone: "UTC" }, "timezone"],
  [{ cron: "61 * * * *" }, "cron"],
  [{ cron: "0 3 * *" }, "cron"],
  [{ cron: "" }, "cron"],
  [{ cron: "0 3 30 2 *" }, "cron"],
  [{ cron: "0 3 * * *", timezone: "Mars/Olympus" }, "timezone"],
])("refuses the rule %o", async (rule, field) => {
  const { producer, client, prefix } = setUp();
  await expect(producer.schedule("nightly", rule as ScheduleRule, "list-objects", input)).rejects.toMatchObject({
    code: "InvalidInput",
    field,
  });
  expect(await client.keys(`${prefix}:*`)).toEqual([]);
});

test("refuses a bad id, input or option", async () => {
  const { producer } = setUp();
  const every = { every: "1h" };
  const bad = { code: "InvalidInput" };
  await expect(producer.schedule("a:b", every, "list-objects", input)).rejects.toMatchObject(bad);
  await expect(producer.schedule("a", every, "list-objects", { bucket: "a b" })).rejects.toMatchObject(bad);
  await expect(producer.schedule("a", every, "list-objects", input, { attempts: 0 })).rejects.toMatchObject(bad);
});

test("an empty input is told as it was given", async () => {
  const { producer } = setUp();
  const made = await producer.schedule("who", { every: "1h" }, "list-buckets", {});
  expect(made.input).toEqual({});
  expect((await producer.schedules.list()).map(({ input: kept }) => kept)).toEqual([{}]);
});

test("an interval and a cron expression at once are refused as that", async () => {
  const { producer } = setUp();
  const rule = { every: "1h", cron: "0 3 * * *" } as unknown as ScheduleRule; // wrong on purpose
  await expect(producer.schedule("n", rule, "list-objects", input)).rejects.toThrow(
    "InvalidInput: schedule n: expected either every or cron",
  );
});

test("batches take intervals in the same forms as jobs", async () => {
  const { producer } = setUp();
  const spec = { operation: "delete", source: { bucket: "tmp", prefix: "old/" } } as const;
  expect(await producer.batches.schedule("tidy", { every: "5m" }, spec)).toMatchObject({ every: 300_000 });
  await expect(producer.batches.schedule("tidy", { every: "5 minutes" }, spec)).rejects.toMatchObject({
    code: "InvalidInput",
    field: "every",
  });
});
