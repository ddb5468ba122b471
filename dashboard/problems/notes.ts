import { z } from "zod";
import type { RedisClient } from "../../redis/connection/client.ts";
import { redisKeys } from "../../redis/keys.ts";
import { parseJson } from "../job-views/job-fields.ts";
import type { Note, Problem } from "./interface.ts";

export type Verb = "acknowledge" | "mute";
export type Kept = Note & { readonly verb: Verb };

/** As it is kept; what another hand wrote is no note. */
const KeptNote: z.ZodType<Kept> = z.object({
  verb: z.enum(["acknowledge", "mute"]),
  by: z.string().max(256),
  at: z.iso.datetime(),
  until: z.iso.datetime().exactOptional(),
  reason: z.string().max(500).exactOptional(),
});

/** So long what was said of a problem is kept, in ms: as long as the problem itself. */
const KEPT_MS = 7 * 86_400_000;

/** What people said of problems, by the problem's id. */
export function createNotes(redis: RedisClient, prefix: string) {
  const key = redisKeys(prefix).problemNotes();
  return {
    async write(id: string, note: Kept): Promise<void> {
      await redis.hset(key, id, JSON.stringify(note));
    },
    async drop(id: string): Promise<void> {
      await redis.hdel(key, id);
    },
    /** Adds to each problem what was said of it. What is too old for any problem is let go of. */
    async addTo(problems: readonly Problem[], now = Date.now()): Promise<Problem[]> {
      const notes = new Map(
        Object.entries(await redis.hgetall(key)).flatMap(([id, text]) => {
          const note = KeptNote.safeParse(parseJson(text)).data;
          return note === undefined ? [] : [[id, note] as const];
        }),
      );
      const known = new Set(problems.map(({ id }) => id));
      const stale = [...notes].filter(([id, { at }]) => !known.has(id) && now - Date.parse(at) > KEPT_MS);
      if (stale.length > 0) await redis.hdel(key, ...stale.map(([id]) => id));
      return problems.map((problem) => ({ ...problem, ...shownNote(problem, notes.get(problem.id), now) }));
    },
  };
}

/** An acknowledgement ends when it happens again; a mute when its time is over. */
function shownNote({ lastSeen }: Problem, note: Kept | undefined, now: number): Partial<Problem> {
  if (note === undefined) return {};
  const { verb, ...said } = note;
  if (verb === "mute") return note.until !== undefined && Date.parse(note.until) < now ? {} : { muted: said };
  return lastSeen !== undefined && lastSeen > note.at ? {} : { acknowledged: said };
}
