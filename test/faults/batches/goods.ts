import type { Sandbox } from "../../../sandbox/index.ts";
import type { BatchRun } from "./run.ts";
import type { Random } from "../random.ts";

/** Above the threshold of the campaign's profiles (5 MiB): two parts. */
const LARGE_BYTES = 6 * 1024 * 1024;
const ODD_ONE_IN = 97;
const CONFLICTS = 200;
/** What keys may hold, and a few that must be refused because proxies would take them for other keys. */
const ODD = ["ü ñ 😀", "a+b%20&c", "<q>'\"", "two//slashes", "new\nline", "tab\tand\u0001", " spaces ", "../up", "."];
const REFUSED = /(^|\/)\.\.?(\/|$)/;

/** One object of the source as it was, and what others did to it. */
export type Item = {
  readonly key: string;
  readonly target: string;
  readonly large: boolean;
  /** Holds a segment that must not be sent. */
  readonly refused: boolean;
  /** What lay at its destination before the run. */
  readonly conflict: string | undefined;
  /** What somebody else put over the source in mid run. */
  newer?: string;
  /** Came to the source in mid run: may be listed, or too late. */
  readonly arrived?: boolean;
};

/** Everything in the buckets of a run, and what it was. */
export type Goods = {
  readonly from: string;
  readonly to: string;
  readonly prefix: string;
  readonly targetPrefix: string;
  readonly items: ReadonlyMap<string, Item>;
  /** Of other people: bucket, key, content. */
  readonly bystanders: readonly (readonly [bucket: string, key: string, content: string])[];
  original(item: Item): Uint8Array;
  /** Somebody else writes to the source. False where it was overwritten before. */
  overwrite(item: Item): boolean;
  /** Somebody else brings a new object. */
  arrive(): void;
};

const FROM = "from";
const TO = "to";
const PREFIX = "in/";
const TARGET_PREFIX = "out/";

/** Of other people, in both buckets. */
const BYSTANDERS = [
  [FROM, "inside.txt", "not under the prefix"],
  [FROM, "other/in/a/000001", "elsewhere"],
  [TO, `${TARGET_PREFIX}a/foreign`, "theirs, at the destination"],
  [TO, "in/a/000001", "theirs, under the source's name"],
] as const;

export function layOut(sandbox: Sandbox, run: BatchRun, random: Random): Goods {
  for (const bucket of [FROM, TO]) sandbox.createBucket(bucket, { versioning: run.versioned });
  const original = (item: Item) => originalOf(item, run.seed);
  const items = new Map<string, Item>();
  const attributes = { metadata: { by: "them" }, tags: { of: "theirs" } };
  const put = (item: Item) => {
    items.set(item.key, item);
    sandbox.put(FROM, item.key, original(item), item.large || items.size % 50 === 0 ? attributes : {});
  };
  for (let i = 0; i < run.objects; i++) {
    const path = pathOf(i, random);
    put({ ...itemAt(path), large: i % Math.ceil(run.objects / run.large) === 0, refused: REFUSED.test(path) });
  }
  if (run.onConflict !== "overwrite") {
    for (const item of conflicting(items, random, original)) {
      items.set(item.key, item);
      sandbox.put(TO, item.target, item.conflict);
    }
  }
  for (const [bucket, key, content] of BYSTANDERS) sandbox.put(bucket, key, content);
  let arrivals = 0;
  return {
    from: FROM,
    to: TO,
    prefix: PREFIX,
    targetPrefix: TARGET_PREFIX,
    items,
    bystanders: BYSTANDERS,
    original,
    overwrite(item) {
      if (item.newer !== undefined) return false;
      item.newer = `newer content of ${item.key}`;
      sandbox.put(FROM, item.key, item.newer);
      return true;
    },
    arrive: () => put({ ...itemAt(`${"adhz"[arrivals % 4]}/arrived-${arrivals++}`), arrived: true }),
  };
}

/** Where the object of a number lies below the prefix; some have odd names. */
function pathOf(index: number, random: Random): string {
  const name = `${String(index).padStart(6, "0")}${index % ODD_ONE_IN === 0 ? `/${random.pick(ODD)}` : ""}`;
  return `${"abcdefgh"[random.integer(0, 7)]}/${name}`;
}

/** A small one that nothing speaks against. */
function itemAt(path: string): Item {
  return { key: PREFIX + path, target: TARGET_PREFIX + path, large: false, refused: false, conflict: undefined };
}

function originalOf({ key, large }: Item, seed: number): Uint8Array {
  const text = Buffer.from(`content of ${key} in run ${seed}`);
  return large ? Buffer.alloc(LARGE_BYTES, text) : text;
}

/** Some of the items, with what lies at their destinations already: every second time the very same content. */
function conflicting(
  items: ReadonlyMap<string, Item>,
  random: Random,
  original: (item: Item) => Uint8Array,
): (Item & { readonly conflict: string })[] {
  const able = [...items.values()].filter(({ large, refused }) => !large && !refused);
  return random.sample(able, CONFLICTS).map((item, index) => {
    const conflict = index % 2 === 0 ? "somebody else's" : Buffer.from(original(item)).toString();
    return { ...item, conflict };
  });
}
