import { setTimeout as sleep } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { endWithParent } from "./end-with-parent.ts";

test("tells a process under npm to stop once, when its parent is gone, and no other process", async () => {
  let parent = 41;
  const stop = vi.fn<() => void>();
  const plain = vi.fn<() => void>();
  const options = { parent: () => parent, everyMs: 1 };
  endWithParent({ ...options, npmCommand: undefined, stop: plain });
  endWithParent({ ...options, npmCommand: "exec", parent: () => 1, stop: plain });
  endWithParent({ ...options, npmCommand: "exec", stop });
  endWithParent({ ...options, npmCommand: "exec", stop });
  await sleep(10);
  expect(stop).not.toHaveBeenCalled();
  parent = 1;
  await vi.waitFor(() => expect(stop).toHaveBeenCalledOnce());
  await sleep(10);
  expect([stop.mock.calls.length, plain.mock.calls.length]).toEqual([1, 0]);
});
