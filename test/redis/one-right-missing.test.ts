import { readFile } from "node:fs/promises";
import { Redis } from "ioredis";
import { expect, onTestFinished, test, vi } from "vitest";
import { checkRedis } from "../../redis/health/check.ts";
import { startRedis } from "../../sandbox/index.ts";
import { observeWorker } from "./observed-worker.ts";

/** Without these everything works: ioredis asks for them and goes on without, or they are for a setting that is off here. */
const DISPENSABLE = ["client|setname", "hello", "ping", "quit", "select", "unsubscribe", "wait"];

/** The rights that docs/production.md tells operators to give. */
async function documentedRights(): Promise<readonly string[]> {
  const text = await readFile(new URL("../../docs/production.md", import.meta.url), "utf8");
  const [, list = ""] = /ACL SETUSER bucketline [^`]*? -@all ([^`]*)/.exec(text) ?? [];
  return list.split(/[\s\\]+/).filter((word) => word.startsWith("+"));
}

test("a start without any one of the documented rights ends and names the command that is missing, on a server that knows our scripts", async () => {
  const rights = await documentedRights();
  const redis = await startRedis();
  const admin = new Redis(redis.url);
  const give = async (given: readonly string[]) =>
    await admin.call("ACL", "SETUSER", "app", "reset", "on", ">secret", "~app:*", "&app:*", ...given);
  await give(rights);
  const url = redis.url.replace("://", "://app:secret@");
  const client = new Redis(url);
  vi.spyOn(console, "warn").mockImplementation(() => {}); // ioredis says there that it may not ask for INFO
  onTestFinished(async () => {
    client.disconnect();
    admin.disconnect();
    await redis.stop();
  });
  const start = async () => await checkRedis(client, { probeKey: "app:~probe" });
  await start(); // so that every script is known
  const unnamed: string[] = [];
  for (const right of rights) {
    await give(rights.filter((one) => one !== right));
    const name = right.slice(1);
    const told = await start().then(
      () => "it starts",
      (error: unknown) => String(error),
    );
    if (!told.includes("UnsafeRedis") || !new RegExp(`(missing: |')${name}\\b`).test(told)) unnamed.push(name);
  }
  expect(unnamed.toSorted()).toEqual([...DISPENSABLE, "subscribe"].toSorted());
  // Asked by the subscription to cancels.
  await give(rights.filter((one) => one !== "+subscribe"));
  const worker = await observeWorker({ redis: url, prefix: "app" });
  await expect(worker.started).rejects.toThrow(/UnsafeRedis: .*'subscribe'/);
  await give(rights.filter((one) => !DISPENSABLE.includes(one.slice(1))));
  await (
    await observeWorker({ redis: url, prefix: "app" })
  ).started;
}, 90_000);
