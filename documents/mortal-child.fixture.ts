/*
 * A process of the file store's tests that uses a store and dies in it: `mortal-child.fixture.ts <root> <scenario> <step>`. Just before its n-th call to
 * the file system it kills itself as `kill -9` would; with step 0 it lives. It prints its calls, and what failed.
 */
import { promises, writeSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { buffer } from "node:stream/consumers";

const [root = "", scenario = "", step = "0"] = process.argv.slice(2);
const calls: string[] = [];

/** Wraps methods, so that each call is a step at which to die. */
function watch(object: object, label: string, methods: readonly string[]): void {
  for (const method of methods) {
    // Only methods that exist are named, and each returns a promise.
    const real = Reflect.get(object, method) as (...args: unknown[]) => unknown;
    Reflect.set(object, method, function watched(this: unknown, ...args: unknown[]) {
      calls.push(`${label}${method}${label === "" ? ` ${String(args[0]).slice(root.length)}` : ""}`);
      if (calls.length === Number(step)) process.kill(process.pid, "SIGKILL");
      return real.apply(this, args);
    });
  }
}

const handle = await promises.open(import.meta.filename);
watch(Object.getPrototypeOf(handle) as object, "handle.", ["write", "writev", "sync", "read", "stat"]);
await handle.close();
watch(promises, "", ["open", "rename", "unlink", "rm", "mkdir", "readdir"]);
syncBuiltinESMExports();

const { openFileStore } = await import("./file/store.ts");
const store = await openFileStore(root);
calls.length = 0;

const scenarios: Record<string, () => Promise<unknown>> = {
  replace: () => store.write("new content", { name: "new", id: "fixed", ttl: 86_400 }),
  async consume() {
    const pointer = await store.find("fixed");
    if (pointer !== undefined) await buffer(await store.read(pointer));
  },
  /** 4 MiB: more than the test's limit on the size of files. */
  large: () => store.write(Buffer.alloc(4 * 1024 * 1024), { name: "large" }),
  async forever() {
    for (let round = 0; ; round += 1) {
      await store.write(Buffer.alloc(round % 2 === 0 ? 10 : 400_000, round), { name: `${round}`, id: "fixed" });
      const { id } = await store.write(Buffer.alloc(1000, round), { name: "random" });
      writeSync(1, `${id}\n`);
    }
  },
};

try {
  await scenarios[scenario]?.();
  writeSync(1, JSON.stringify({ calls }));
} catch (error) {
  writeSync(1, JSON.stringify({ calls, error }));
}
