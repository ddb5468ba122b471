import type { Connection } from "../../credentials/connection.ts";
import type { Random } from "../faults/random.ts";
import { Truth } from "./judge/truth.ts";
import type { Profile } from "./profile.ts";
import { ModelRedis } from "./redis.ts";
import { type Enforced, ModelStore } from "./store.ts";
import { World } from "./world.ts";

export const BUCKETS = ["a", "b"] as const;
const KEYS = ["k1", "k2", "k3"] as const;

/** What a history is played on: a store, a Redis, who sees everything, and who decides what comes next. */
export type Scene = {
  readonly profile: Profile;
  readonly random: Random;
  /** The keys that work is about. */
  readonly keys: readonly string[];
  readonly world: World;
  readonly redis: ModelRedis;
  readonly store: ModelStore;
  readonly truth: Truth;
  readonly connection: Connection;
  /** How often each thing was met. */
  readonly met: Readonly<Record<string, number>>;
  /** Told of everything that came to a good end, so that a model in which nothing does is seen; and of all that went wrong. */
  readonly meet: (what: string) => void;
};

export function openScene(profile: Profile, random: Random): Scene {
  const { versioning, enforced } = profile;
  const world = new World(random);
  const truth = new Truth({ versioning, enforced });
  const store = new ModelStore({ versioning, enforced, witness: truth, keys: KEYS });
  truth.watch(store);
  const met: Record<string, number> = {};
  return {
    profile,
    random,
    keys: KEYS.slice(0, profile.keys),
    world,
    redis: new ModelRedis(world),
    store,
    truth,
    connection: connectionTo(enforced),
    met,
    meet: (what) => {
      met[what] = (met[what] ?? 0) + 1;
    },
  };
}

function connectionTo(enforced: Enforced): Connection {
  return {
    name: "default",
    credentials: () => Promise.reject(new Error("the model signs nothing")),
    region: "us-east-1",
    endpoint: "http://model.test",
    pathStyle: true,
    checksums: "when-required",
    conditionalDelete: enforced.delete,
    conditionalCopy: enforced.copySource,
    conditionalWrite: enforced.write,
    multipartThreshold: 1024 ** 3,
  };
}
