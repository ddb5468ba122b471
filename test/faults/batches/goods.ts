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

export function layOut(sandbox: Sandbox, run: BatchRun, random: Random): Goods {
  const [from, to, prefix, targetPrefix] = ["from", "to", "in/", "out/"];
  for (const bucket of [from, to]) sandbox.createBucket(bucket, { versioning: run.versioned });
  const items = new Map<string, Item>();
  const attributes = { metadata: { by: "them" }, tags: { of: "theirs" } };
  const put = (item: Item) => {
    items.set(item.key, item);
    sandbox.put(from, item.key, original(item), item.large || items.size % 50 === 0 ? attributes : {});
  };
  for (let i = 0; i < run.objects; i++) {
    const name = `${String(i).padStart(6, "0")}${i % ODD_ONE_IN === 0 ? `/${random.pick(ODD)}` : ""}`;
    const path = `${"abcdefgh"[random.integer(0, 7)]}/${name}`;
    put({
      key: prefix + path,
      target: targetPrefix + path,
      large: i % Math.ceil(run.objects / run.large) === 0,
      refused: REFUSED.test(path),
      conflict: undefined,
    });
  }
  if (run.onConflict !== "overwrite") makeConflicts();
  const bystanders = [
    [from, "inside.txt", "not under the prefix"],
    [from, "other/in/a/000001", "elsewhere"],
    [to, `${targetPrefix}a/foreign`, "theirs, at the destination"],
    [to, "in/a/000001", "theirs, under the source's name"],
  ] as const;
  for (const [bucket, key, content] of bystanders) sandbox.put(bucket, key, content);
  let arrivals = 0;
  return {
    from,
    to,
    prefix,
    targetPrefix,
    items,
    bystanders,
    original,
    overwrite(item) {
      if (item.newer !== undefined) return false;
      item.newer = `newer content of ${item.key}`;
      sandbox.put(from, item.key, item.newer);
      return true;
    },
    arrive() {
      const path = `${"adhz"[arrivals % 4]}/arrived-${arrivals++}`;
      put({
        key: prefix + path,
        target: targetPrefix + path,
        large: false,
        refused: false,
        conflict: undefined,
        arrived: true,
      });
    },
  };

  function original({ key, large }: Item): Uint8Array {
    const text = Buffer.from(`content of ${key} in run ${run.seed}`);
    return large ? Buffer.alloc(LARGE_BYTES, text) : text;
  }

  function makeConflicts(): void {
    const some = random.sample(
      [...items.values()].filter(({ large, refused }) => !large && !refused),
      CONFLICTS,
    );
    for (const [index, item] of some.entries()) {
      const conflict = index % 2 === 0 ? "somebody else's" : Buffer.from(original(item)).toString();
      items.set(item.key, { ...item, conflict });
      sandbox.put(to, item.target, conflict);
    }
  }
}
