import { EventEmitter } from "node:events";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createLiveStream } from "../assets/core/live-stream.js";

/** A stream as a browser would open it. */
type Opened = EventEmitter & { query: string; closed: boolean; close(): void };

let opened: Opened[];
let signedIn: boolean;
let left: number;

beforeEach(() => {
  vi.useFakeTimers();
  opened = [];
  signedIn = true;
  left = 0;
});
afterEach(() => vi.useRealTimers());

function start() {
  return createLiveStream({
    open: (query) => {
      const source: Opened = Object.assign(new EventEmitter(), {
        query,
        closed: false,
        close: () => void (source.closed = true),
      });
      opened.push(source);
      return { addEventListener: (name, listener) => void source.on(name, listener), close: source.close };
    },
    signedIn: async () => signedIn,
    leave: () => void (left += 1),
    events: ["overview"],
  });
}
const newest = () => opened.at(-1) as Opened; // each test opens one first

test("hands events on, and is live from the first of them", () => {
  const live = start();
  const heard: unknown[] = [];
  const stop = live.listen("overview", (data) => heard.push(data));
  live.follow("");
  expect(live.state.get()).toBe("connecting");
  newest().emit("overview", { data: '{"at":1}' });
  stop();
  newest().emit("overview", { data: '{"at":2}' });
  expect([live.state.get(), heard]).toEqual(["live", [{ at: 1 }]]);
});

test("makes room for other windows, keeps what it shows, and takes its turn again", async () => {
  const live = start();
  live.follow("");
  newest().emit("overview", { data: "{}" });
  newest().emit("replaced", {});
  expect([newest().closed, live.state.get()]).toEqual([true, "live"]);
  await vi.advanceTimersByTimeAsync(4999);
  live.check();
  expect([opened.length, live.state.get()]).toEqual([1, "live"]);
  await vi.advanceTimersByTimeAsync(2);
  expect(opened).toHaveLength(2);
});

test("takes silence for a loss, tries again ever more slowly, and goes to sign in where the session is over", async () => {
  const live = start();
  live.follow("?batch=b1");
  await vi.advanceTimersByTimeAsync(6001);
  live.check();
  expect([live.state.get(), newest().closed]).toEqual(["lost", true]);
  await vi.advanceTimersByTimeAsync(500);
  expect(opened.map(({ query }) => query)).toEqual(["?batch=b1", "?batch=b1"]);
  newest().emit("error", {});
  await vi.advanceTimersByTimeAsync(999);
  expect(opened).toHaveLength(2);
  signedIn = false;
  await vi.advanceTimersByTimeAsync(1);
  expect([opened.length, left]).toEqual([2, 1]);
});

test("has nothing sent to it while nobody looks, whatever is asked meanwhile", async () => {
  const live = start();
  live.follow("");
  live.rest();
  live.follow("?batch=b1");
  live.retryNow();
  live.check();
  await vi.advanceTimersByTimeAsync(60_000);
  expect([opened.length, newest().closed, live.state.get()]).toEqual([1, true, "resting"]);
  live.wake();
  expect(opened.map(({ query }) => query)).toEqual(["", "?batch=b1"]);
});

test("an answer of a stream that was left behind changes nothing", () => {
  const live = start();
  live.follow("");
  const old = newest();
  live.follow("?activity=copy-object");
  old.emit("overview", { data: "{}" });
  old.emit("error", {});
  expect(live.state.get()).toBe("connecting");
});
