import type { Logger } from "pino";
import type { Connection } from "../../credentials/connection.ts";
import { type Lesson, LESSONS } from "../../s3/lessons.ts";

/** Told to dashboards at once. */
const MAX_SHOWN = 50;

/** Keeps what this worker learned of its stores: for the log once, and for the heartbeat. */
export function keepLessons(log: Pick<Logger, "warn">) {
  const shown = new Set<string>();
  return {
    onLesson({ name, endpoint = "AWS" }: Connection, lesson: Lesson): void {
      log.warn({ profile: name, endpoint, lesson }, `this store ${LESSONS[lesson]}`);
      // A sealed identity's name is one among thousands; of what is shown, the store is what counts.
      if (shown.size < MAX_SHOWN) shown.add(`${endpoint} ${LESSONS[lesson]}`);
    },
    all: (): readonly string[] => [...shown],
  };
}
