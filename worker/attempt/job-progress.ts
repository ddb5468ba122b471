import type { Job } from "bullmq";
import type { Logger } from "pino";
import type { ReportProgress } from "../../jobs/handler.ts";

/** A job is written about at most so often; one that is over sooner costs nothing. */
const EVERY_MS = 1_000;

/**
 * Reports how far a job is as its BullMQ progress, `{ bytes, of }`. What cannot be told is let go: progress is for people, and the job's end is
 * told by other means.
 */
export function createJobProgress(job: Pick<Job, "updateProgress">, log: Logger): ReportProgress {
  return (of) => {
    let bytes = 0;
    let toldAt = performance.now();
    let telling = false;
    const tell = async (): Promise<void> => {
      telling = true;
      try {
        await job.updateProgress({ bytes, of });
      } catch (error) {
        log.debug({ err: error }, "the job's progress could not be told");
      }
      telling = false;
    };
    return (more) => {
      bytes = Math.min(of, bytes + more);
      const now = performance.now();
      if (telling || now - toldAt < EVERY_MS) return;
      toldAt = now;
      void tell();
    };
  };
}
