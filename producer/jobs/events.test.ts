import { expect, onTestFinished, test, vi } from "vitest";
import { type JobEvent, openJobEvents } from "./events.ts";
import { setUp } from "../protocol-worker.fixture.ts";
import { openRedis } from "../../redis/connection/open.ts";

async function open(bench: ReturnType<typeof setUp>) {
  const seen: JobEvent[] = [];
  const died = vi.fn<() => void>();
  const redis = openRedis(bench.url, 10_000);
  const events = await openJobEvents({ ...bench, redis }, "list-objects", {
    event: (event) => void seen.push(event),
    died,
  });
  onTestFinished(async () => {
    events.close();
    await redis.close();
  });
  return { events, seen, died };
}

test("tells of every end after it was opened, also of one before its connection is up, and of none before", async () => {
  const bench = setUp();
  const stream = bench.keys.job("list-objects", "events");
  const add = async (...fields: string[]) => await bench.client.xadd(stream, "*", "event", ...fields);
  await add("completed", "jobId", "early", "returnvalue", "1");
  const { seen } = await open(bench);
  await add("completed", "jobId", "a", "returnvalue", '{"count":1}');
  await add("failed", "jobId", "b", "failedReason", "no luck");
  await add("removed", "jobId", "c", "prev", "wait");
  await vi.waitFor(() => expect(seen).toHaveLength(3), 5000);
  expect(seen).toEqual([
    { id: "a", kind: "completed", value: { count: 1 } },
    { id: "b", kind: "failed", reason: "no luck" },
    { id: "c", kind: "removed" },
  ]);
});

test("closes at once, also before its connection is up, and is then not called dead", async () => {
  const { events, died } = await open(setUp());
  const started = performance.now();
  events.close();
  events.close();
  expect(performance.now() - started).toBeLessThan(3000);
  expect(died).not.toHaveBeenCalled();
});
