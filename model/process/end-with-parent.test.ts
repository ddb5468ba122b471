import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test, vi } from "vitest";
import { endWithParent } from "./end-with-parent.ts";

test("tells a process under npm to stop once, when its parent is gone, and no other process", async () => {
  let parent = 41;
  const stop = vi.fn<() => void>();
  const plain = vi.fn<() => void>();
  const options = { parents: () => [parent], everyMs: 1 };
  endWithParent({ ...options, npmCommand: undefined, stop: plain });
  endWithParent({ ...options, npmCommand: "exec", parents: () => [1], stop: plain });
  endWithParent({ ...options, npmCommand: "exec", stop });
  endWithParent({ ...options, npmCommand: "exec", stop });
  await sleep(10);
  expect(stop).not.toHaveBeenCalled();
  parent = 1;
  await vi.waitFor(() => expect(stop).toHaveBeenCalledOnce());
  await sleep(10);
  expect([stop.mock.calls.length, plain.mock.calls.length]).toEqual([1, 0]);
});

// As npm does it: a shell in between, which stays when npm is killed or its terminal is closed.
test.runIf(process.platform === "linux")(
  "a process that npm started through a shell ends when npm is killed",
  async () => {
    const file = new URL("end-with-parent.ts", import.meta.url).href;
    const child = `import { endWithParent } from ${JSON.stringify(file)};
    endWithParent({ npmCommand: "exec", stop: () => { console.log("told to stop"); process.exit(); } });
    console.log("started"); setTimeout(() => console.log("stayed"), 20_000);`;
    const npm = `require("node:child_process").spawn("sh", ["-c", '"$NODE" --input-type=module -e "$CHILD"; :'], { stdio: ["ignore", "inherit", "inherit"] });
    setInterval(() => undefined, 1000);`;
    const env = { ...process.env, NODE: process.execPath, CHILD: child };
    const parent = spawn(process.execPath, ["-e", npm], { env, stdio: ["ignore", "pipe", "inherit"] });
    onTestFinished(() => void parent.kill("SIGKILL"));
    const said = text(parent.stdout);
    await once(parent.stdout, "data");
    parent.kill("SIGKILL");
    expect(await said).toMatch(/told to stop/);
  },
);
