import type { RedisClient } from "../../redis/connection/client.ts";
import { timeOfDay } from "./clock.ts";
import type { Reply } from "./scripts/call.ts";
import { scriptOf } from "./scripts/known.ts";
import type { World } from "./world.ts";

const NO_SCRIPT = new Error("NOSCRIPT the model takes scripts whole");

type Data = Map<string, Map<string, string>>;

/** A Redis that knows hashes and the scripts of jobs and leases, and can go back in time. Each command is a step of the scheduler. */
export class ModelRedis {
  /** All that jobs and leases ask of it. */
  readonly client: RedisClient;
  readonly #world: World;
  #data: Data = new Map();
  #snapshots: { readonly at: number; readonly data: Data }[] = [];

  constructor(world: World) {
    this.#world = world;
    this.client = this.#commands() as unknown as RedisClient; // see above
  }

  /** Does something in Redis: what the code under test leaves to BullMQ or to scripts of batches, which the model tells in its own words. */
  ask<Result>(name: string, effect: () => Result): Promise<Result> {
    return this.#world.perform("redis", `redis ${name}`, effect);
  }

  snapshot(): void {
    this.#snapshots = [...this.#snapshots.slice(-3), { at: timeOfDay(), data: copyOf(this.#data) }];
  }

  /** As a replica that takes over without the last second. */
  goBack(): void {
    const [oldest] = this.#snapshots;
    if (oldest === undefined) return;
    this.#world.note(`redis goes back ${timeOfDay() - oldest.at} ms`);
    this.#data = copyOf(oldest.data);
    this.#snapshots = [];
  }

  readonly #hash = (key: string): Map<string, string> => {
    const held = this.#data.get(key) ?? new Map<string, string>();
    this.#data.set(key, held);
    return held;
  };

  #commands() {
    return {
      evalshaBuffer: () => Promise.reject(NO_SCRIPT),
      evalBuffer: (script: string, count: number, ...rest: (string | number)[]) =>
        this.ask(`script ${rest.slice(count).join(" ").slice(0, 60)}`, () =>
          asBuffers(this.#runScript(script, count, rest.map(String))),
        ),
      hget: (key: string, field: string) => this.ask(`hget ${field}`, () => this.#hash(key).get(field) ?? null),
      hmget: (key: string, ...fields: string[]) =>
        this.ask("hmget", () => fields.map((field) => this.#hash(key).get(field) ?? null)),
      hdel: (key: string, field: string) => this.ask(`hdel ${field}`, () => (this.#hash(key).delete(field) ? 1 : 0)),
      del: (key: string) => this.ask("del", () => (this.#data.delete(key) ? 1 : 0)),
      expire: (key: string, seconds: number) => this.ask(`expire ${seconds}`, () => (this.#data.has(key) ? 1 : 0)),
    };
  }

  #runScript(source: string, count: number, rest: readonly string[]): Reply {
    const keys = rest.slice(0, count);
    const args = rest.slice(count);
    const own = this.#hash(keys[0] ?? "");
    return scriptOf(source)({ keys, args, hash: this.#hash, own, now: Math.floor(timeOfDay()) });
  }
}

const copyOf = (data: Data): Data => new Map([...data].map(([key, hash]) => [key, new Map(hash)]));

function asBuffers(reply: Reply): unknown {
  if (typeof reply === "string") return Buffer.from(reply);
  return typeof reply === "number" ? reply : reply.map((one) => (one === null ? null : Buffer.from(one)));
}
