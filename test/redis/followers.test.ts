import { Redis } from "ioredis";
import { expect, onTestFinished, test, vi } from "vitest";
import { openJobEvents } from "../../producer/jobs/events.ts";
import { openRedis } from "../../redis/connection/open.ts";
import { redisKeys } from "../../redis/keys.ts";
import { redisUrl, uniquePrefix } from "../fixtures.ts";
import { type Front, startFront } from "./front.ts";

/** Longer than the longest pause between two attempts to connect. Milliseconds. */
const WOULD_CONNECT_MS = 4000;

const TROUBLES: Readonly<Record<string, (front: Front) => void>> = {
  "nobody is let in": (front) => {
    front.refuseNew(true);
    front.cut();
  },
  "its connection hangs": (front) => void front.hang(),
  "it is let in, and gets no answer": (front) => {
    front.swallowNew(true);
    front.cut();
  },
};

test.each(Object.entries(TROUBLES))(
  "a follower of events that is closed in an outage connects no more, and keeps nothing open: %s",
  async (_name, begin) => {
    const shouts = vi.spyOn(console, "error").mockImplementation(() => {});
    onTestFinished(() => shouts.mockRestore());
    const front = await startFront(Number(new URL(redisUrl()).port));
    const admin = new Redis(redisUrl());
    const keys = redisKeys(uniquePrefix());
    const connection = openRedis(front.url, 60_000);
    onTestFinished(async () => {
      admin.disconnect();
      await connection.close();
    });
    const followers = async () =>
      String(await admin.client("LIST")).split(keys.job("head-bucket", "events")).length - 1;
    const died = vi.fn<() => void>();
    const follow = async () =>
      await openJobEvents({ redis: connection, keys }, "head-bucket", { event: () => {}, died });
    const events = await follow();
    await vi.waitFor(async () => expect(await followers()).toBe(1), 10_000);
    begin(front);
    // Tries to connect, and is closed meanwhile; another is opened and closed before it is connected at all.
    await new Promise((resolve) => setTimeout(resolve, 500));
    const late = follow();
    events.close();
    front.refuseNew(false);
    front.swallowNew(false);
    front.cut();
    (await late).close();
    await connection.run("ping", (client) => client.ping());
    await new Promise((resolve) => setTimeout(resolve, WOULD_CONNECT_MS));
    expect(await followers()).toBe(0);
    expect(front.count()).toBe(1);
    expect(died).not.toHaveBeenCalled();
    expect(shouts.mock.calls).toEqual([]);
  },
  60_000,
);
