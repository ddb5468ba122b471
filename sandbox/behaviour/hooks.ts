import type { Call } from "../http/call.ts";
import type { Operation } from "../http/operation.ts";

/** What a hook sees of a call. */
export type HookCall = Pick<Call, "operation" | "bucket" | "key" | "query" | "headers" | "accessKeyId">;

export type Hook = (call: HookCall) => void | Promise<void>;

/** Code of a test that runs around an operation. */
export class Hooks {
  readonly #hooks = new Map<string, Hook[]>();

  /** Adds a hook and returns its remover. */
  add(when: "before" | "after", operation: Operation, hook: Hook): () => void {
    const name = `${when} ${operation}`;
    this.#hooks.set(name, [...(this.#hooks.get(name) ?? []), hook]);
    return () => {
      const rest = (this.#hooks.get(name) ?? []).filter((one) => one !== hook);
      if (rest.length === 0) this.#hooks.delete(name);
      else this.#hooks.set(name, rest);
    };
  }

  clear(): void {
    this.#hooks.clear();
  }

  /** Undefined when there is nothing to run, so that the usual call stays synchronous. */
  run(when: "before" | "after", call: Call): Promise<void> | undefined {
    if (this.#hooks.size === 0) return undefined;
    const hooks = this.#hooks.get(`${when} ${call.operation}`);
    return hooks === undefined ? undefined : runAll(hooks, call);
  }
}

async function runAll(hooks: readonly Hook[], call: Call): Promise<void> {
  for (const hook of hooks) await hook(call);
}
