/** Before every key in Redis. For Redis Cluster choose one in braces (`{bucketline}`), so that all keys share a slot. */
export const DEFAULT_PREFIX = "bucketline";

/**
 * The keys of ours beside BullMQ's. A segment that starts with `~` cannot be a queue's name.
 * Job ids hold no colon, so no two of these keys can meet.
 */
export function redisKeys(prefix: string) {
  return {
    /** Hash: `input` (sha256 hex of the canonical input), `state` (`adding` | `added`), `createdAt`. Named by the job's id, which is derived from activity and key. */
    idempotency: (activity: string, jobId: string) => `${prefix}:~idempotency:${activity}:${jobId}`,
    /** String, its TTL is {@link CANCEL_TTL_S}: the job was cancelled. */
    cancelled: (activity: string, jobId: string) => `${prefix}:~cancelled:${activity}:${jobId}`,
    /** Publish/subscribe channel; a message is `<activity>/<job id>`. */
    cancelChannel: () => `${prefix}:~cancel`,
    /** Hashes of a bucket, named by `leasedBucket`: single objects and ranges that somebody is about to delete or to write. See leases.ts. */
    leasedObjects: (bucket: string) => `${prefix}:~leased:${bucket}:objects`,
    leasedRanges: (bucket: string) => `${prefix}:~leased:${bucket}:ranges`,
    /** Hash of a running copy, move or put: `pin`, `copy`, `upload` (JSON each), `began`. `birth` tells the job from others that had its id, see birth.ts. */
    evidence: (activity: string, jobId: string, birth: string) => `${prefix}:~evidence:${activity}:${jobId}:${birth}`,
    /**
     * BullMQ's own hash of a job. Of ours in it: `error`, the ActivityError of the last attempt as JSON; `input`, the sha256 hex of the
     * canonical input of a job with an idempotency key; `tries`, a line of JSON for each attempt that failed; `failure`, the group of
     * failures it belongs to; `again`, when it was last put back by hand, in ms.
     */
    job: (queue: string, jobId: string) => `${prefix}:${queue}:${jobId}`,
    /** BullMQ's own sorted set of jobs with a priority that wait for a worker. */
    prioritized: (queue: string) => `${prefix}:${queue}:prioritized`,
    /** Sorted set of live workers (score: last heartbeat in ms; member: worker id), and a hash for each. */
    workers: () => `${prefix}:~workers`,
    worker: (workerId: string) => `${prefix}:~worker:${workerId}`,
    /** Hash of jobs whose data could not be read: field `<queue>/<job id>`, value JSON `{ reason, raw, at }`. */
    quarantine: () => `${prefix}:~quarantine`,
    /** Hash of workers that fell silent: field its id, value its last heartbeat as JSON. At most 100. */
    lostWorkers: () => `${prefix}:~workers-lost`,
    /** Sorted set of groups of failed jobs (score: last seen in ms), see jobs/failures.ts. */
    failures: () => `${prefix}:~failures`,
    /** Hash of a group of failed jobs: what they have in common, `first`, `last`, `count`, an example, counts by the hour. */
    failure: (group: string) => `${prefix}:~failure:${group}`,
    /** Sorted set of the ids of a group's jobs, by when they failed. */
    failedJobs: (group: string) => `${prefix}:~failure:${group}:jobs`,
    /** Hash of a schedule of jobs: how its last run ended (`at`, `id`, `code`), `failures` in a row, `failingSince`. */
    scheduleRuns: (activity: string, schedule: string) => `${prefix}:~schedule:${activity}:${schedule}`,
    /** Hash of schedules that are paused: field `<queue>/<schedule>`, value what it takes to go on, as JSON. */
    pausedSchedules: () => `${prefix}:~schedules-paused`,
    /** Hash: what workers tell of their profiles, by name, as JSON without secrets. */
    profiles: () => `${prefix}:~profiles`,
    /** Hash of a profile: `provedAt`, `expiresAt`, `refusedSince`, `refusedAt`, `refusedCode`, `throttledAt`, `throttledCode`. */
    profile: (name: string) => `${prefix}:~profile:${name}`,
    /** Hash: what people said of problems, by the problem's id, as JSON. */
    problemNotes: () => `${prefix}:~problem-notes`,
    /** String that goes by itself: written to see whether Redis takes writes. */
    probe: () => `${prefix}:~probe`,
    /** Streams of bounded length: acts of people, apps and programs, and apart from them what they added to queues. See producer/audit. */
    audit: () => `${prefix}:~audit`,
    auditAdded: () => `${prefix}:~audit-added`,
    /** List: the acts on one thing. */
    auditOf: (kind: string, id: string) => `${prefix}:~audit-of:${kind}:${id}`,
    /** All keys of batches start so. */
    batches: () => `${prefix}:~batch`,
  };
}
export type RedisKeys = ReturnType<typeof redisKeys>;

/** The names of BullMQ's own keys in a queue: a job of such an id would be one of them. */
export const OWN_KEYS: ReadonlySet<string> = new Set(
  (
    "active completed delayed events failed id limiter marker meta metrics paused pc prioritized repeat stalled stalled-check wait " +
    "waiting-children"
  ).split(" "),
);

/** Whether a job's id would be the name of one of BullMQ's own keys. */
export function isOwnKey(jobId: string): boolean {
  return OWN_KEYS.has(jobId);
}
