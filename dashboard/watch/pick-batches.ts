import type { BatchStore } from "../../batches/state/store.ts";
import { loadScript } from "../../redis/scripts/load.ts";
import { replyList, replyText, runScript } from "../../redis/scripts/run.ts";

/** Which batches are meant. All that is given must hold. */
export type BatchFilter = {
  readonly states?: readonly string[] | undefined;
  /** Failed, failing, or with objects that failed. */
  readonly troubled?: boolean | undefined;
  /** Forms of a text: one of them is part of what was asked for, or the first of them is where its id begins. */
  readonly needles?: readonly string[] | undefined;
  readonly code?: string | undefined;
  readonly bucket?: string | undefined;
  readonly profile?: string | undefined;
  /** Created then or later, in ms since 1970. */
  readonly since?: number | undefined;
};

/** Behind which batch to go on: by its creation, in ms, and its id. */
export type BatchPlace = { readonly before: string; readonly after: string };

export type PickedBatches = {
  readonly ids: readonly string[];
  /** Batches that those which were looked at try again. */
  readonly retried: ReadonlySet<string>;
  /** Where to go on; missing where all were looked at, or as many as may be. */
  readonly next?: BatchPlace;
};

const script = loadScript(new URL("./scripts/pick-batches.lua", import.meta.url), {
  keys: ["index"],
  args: [
    "records",
    "before",
    "after",
    "count",
    "limit",
    "states",
    "troubled",
    "since",
    "code",
    "error",
    "bucket",
    "profile",
    "needles",
  ],
});

/** Batches that one call looks at: a few milliseconds of Redis. */
const SLICE = 500;

/** A field of JSON as our producers write it; nothing where nothing is asked for. */
const field = (name: string, value: string) => (value === "" ? "" : `"${name}":${JSON.stringify(value)}`);

const NEWEST: BatchPlace = { before: "+inf", after: "" };

/** Ids of batches that are meant, the newest first: at the cost of a round trip for each {@link SLICE} that are looked at, `most` at most. */
export async function pickBatches(
  { redis, keys }: BatchStore,
  filter: BatchFilter,
  {
    from = NEWEST,
    limit,
    most = Infinity,
  }: { readonly from?: BatchPlace; readonly limit: number; readonly most?: number },
): Promise<PickedBatches> {
  const { states, troubled = false, needles = [], code = "", bucket = "", profile = "", since = 0 } = filter;
  const ids: string[] = [];
  const retried = new Set<string>();
  let place = from;
  for (let looked = 0; looked < most;) {
    const reply = await runScript(
      redis,
      script,
      { index: keys.index() },
      {
        records: keys.record(""),
        ...place,
        // The one to go on behind is read again.
        count: SLICE + 1,
        limit: limit - ids.length,
        states: states === undefined ? "" : `,${states.join(",")},`,
        troubled: troubled ? 1 : "",
        since,
        code,
        error: field("code", code),
        bucket: field("bucket", bucket),
        profile,
        needles,
      },
    );
    const [count, before, after, picked, tried] = replyList(reply);
    looked += Number(count);
    ids.push(...replyList(picked ?? []).map(replyText));
    for (const id of replyList(tried ?? [])) retried.add(replyText(id));
    place = { before: replyText(before), after: replyText(after) };
    if (ids.length >= limit) return { ids, retried, next: place };
    if (Number(count) < SLICE) break;
  }
  return { ids, retried };
}
