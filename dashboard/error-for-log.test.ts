import { Redis } from "ioredis";
import { expect, onTestFinished, test, vi } from "vitest";
import { startDashboardHarness } from "../test/dashboard-harness.ts";
import { redisUrl } from "../test/fixtures.ts";
import { errorForLog } from "./error-for-log.ts";

const CANARY = "Zq7cAnArYpassword";

test("a password that Redis refuses is in no line of the log", async () => {
  const url = new URL(redisUrl());
  const admin = new Redis(redisUrl());
  onTestFinished(() => admin.disconnect());
  const user = `guarded-${process.pid}`;
  await admin.acl("SETUSER", user, "on", `>${CANARY}`, "~*", "&*", "+@all");
  onTestFinished(async () => void (await admin.acl("DELUSER", user)));
  url.username = user;
  url.password = CANARY;
  const dashboard = await startDashboardHarness({ redis: url.href });
  onTestFinished(() => dashboard.close());
  // Changed while the dashboard runs: the next connection is refused.
  await admin.acl("SETUSER", user, "resetpass", ">another");
  await admin.client("KILL", "USER", user);
  await vi.waitFor(() => expect(dashboard.logged()).toMatch(/WRONGPASS|NOAUTH/), { timeout: 10_000 });
  expect(dashboard.logged()).not.toContain(CANARY);
});

test("an error is logged with its causes and without what hangs on it", () => {
  const cause = Object.assign(new Error("WRONGPASS redis://app:sesame@redis:6379"), {
    code: "ERR",
    command: { name: "auth", args: [CANARY] },
    previousErrors: [new Error(CANARY)],
  });
  const logged = errorForLog(new TypeError("no answer", { cause }));
  expect(logged).toMatchObject({
    type: "TypeError",
    message: "no answer",
    cause: { message: "WRONGPASS redis://[redacted]@redis:6379", code: "ERR" },
  });
  expect(JSON.stringify(logged)).not.toMatch(new RegExp(`sesame|${CANARY}`));
  expect(errorForLog(`password=${CANARY}`)).toEqual({ type: "string", message: "password=[redacted]" });
  const ring: Error & { cause?: unknown } = new Error("ring");
  ring.cause = ring;
  expect(JSON.stringify(errorForLog(ring)).length).toBeLessThan(100_000);
});
