/** @import { Batch, FoundJob } from "../../answers.ts" */
import { useEffect, useState } from "preact/hooks";
import { get } from "./api.js";

/** Words of an address that are looked for. */
export const FIELDS = /** @type {const} */ ([
  "text",
  "activity",
  "state",
  "code",
  "bucket",
  "profile",
  "since",
  "until",
]);

/** So many are shown; whoever wants others says more of them. */
const MOST = 200;

/**
 * What was found so far.
 * @typedef {{ jobs: readonly FoundJob[], batches: readonly Batch[], looked: number, ended: boolean, error?: unknown }} Found
 */

/** @type {Found} */
const NOTHING = { jobs: [], batches: [], looked: 0, ended: false };

/**
 * The words of an address as the API takes them; undefined where nothing is asked for.
 * @param {URLSearchParams} query
 */
export function searchOf(query) {
  const words = FIELDS.flatMap((name) => {
    const value = query.get(name)?.trim();
    return value ? [/** @type {const} */ ([name, value])] : [];
  });
  return words.length === 0 ? undefined : Object.fromEntries(words);
}

/** Looks on until all was looked through or enough was found. @param {Record<string, string> | undefined} words */
export function useSearch(words) {
  const asked = words === undefined ? "" : String(new URLSearchParams(words));
  const [found, setFound] = useState(/** @type {Found & { of: string }} */ ({ ...NOTHING, of: "" }));
  useEffect(() => {
    const leave = new AbortController();
    if (asked !== "") void look(asked, leave.signal, (next) => setFound({ ...next, of: asked }));
    return () => leave.abort();
  }, [asked]);
  return found.of === asked ? found : NOTHING;
}

/** @param {string} asked @param {AbortSignal} signal @param {(found: Found) => void} tell */
async function look(asked, signal, tell) {
  let known = NOTHING;
  try {
    let cursor = "";
    do {
      const answer = await get(`/api/search?${asked}${cursor && `&cursor=${cursor}`}`, signal);
      cursor = answer.next ?? "";
      const all = [...known.jobs, ...answer.jobs];
      // What moved on meanwhile may come twice.
      const jobs = [...new Map(all.map((job) => [`${job.activity}/${job.id}`, job])).values()];
      const batches = known.batches.length > 0 ? known.batches : answer.batches;
      known = { jobs, batches, looked: known.looked + answer.looked, ended: cursor === "" };
      if (signal.aborted) return;
      tell(known);
    } while (cursor !== "" && known.jobs.length < MOST);
  } catch (error) {
    if (!signal.aborted) tell({ ...known, ended: true, error });
  }
}

/** @type {Readonly<Record<string, (job: FoundJob) => string | number>>} */
const SORTS = {
  newest: (job) => -Date.parse(job.finishedAt ?? job.startedAt ?? job.createdAt ?? "1970-01-01"),
  oldest: (job) => Date.parse(job.finishedAt ?? job.startedAt ?? job.createdAt ?? "1970-01-01"),
  key: (job) => job.source ?? job.id,
  code: (job) => job.error?.code ?? "~",
  attempts: (job) => -job.attempts,
};

export const SORT_NAMES = Object.keys(SORTS);

/** @param {readonly FoundJob[]} jobs @param {string} by */
export function sorted(jobs, by) {
  const value = SORTS[by] ?? SORTS["newest"];
  if (!value) return jobs;
  return jobs.toSorted((a, b) => {
    const [one, other] = [value(a), value(b)];
    return one < other ? -1 : one > other ? 1 : 0;
  });
}
