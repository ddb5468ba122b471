import type { ErrorCodeTable } from "./entry.ts";

/** Codes of jobs: what was asked, how an attempt ended, and what becomes of copies and moves. */
export const JOB_CODES = {
  InvalidInput: {
    retryable: false,
    httpStatus: 400,
    meaning: "A field of the request is missing, unknown or not what was expected. Nothing was done.",
    remedy: "Correct the field that the error names (`field`) and ask again.",
  },
  UnknownActivity: {
    retryable: false,
    httpStatus: 404,
    meaning: "There is no activity, and so no queue, of that name.",
    remedy:
      "Use one of the names in docs/activities.md; a newer producer may know activities that an older worker does not.",
  },
  IdempotencyConflict: {
    retryable: false,
    httpStatus: 409,
    meaning: "The idempotency key was used before with another input. Nothing was added.",
    remedy: "Use a new key for a new request, or send the first input again to get the first job.",
  },
  PolicyDenied: {
    retryable: false,
    httpStatus: 403,
    meaning: "The profile's policy does not allow this activity on this bucket or key. No request was sent.",
    remedy: "Widen the policy in the profiles file, or use another profile.",
  },
  UnknownProfile: {
    retryable: false,
    httpStatus: 400,
    meaning: "The worker's profiles file has no profile of that name.",
    remedy: "Correct the name, or add the profile to the worker's configuration and restart it.",
  },
  InvalidCustomerKey: {
    retryable: false,
    httpStatus: 400,
    meaning:
      "The customer's key (SSE-C) that a job names is not in the profile or no key, or a sealed one could not be opened. No request was sent.",
    remedy: "Name a key of the profile's customerKeys, or seal the key again with the workers' current public key.",
  },
  InvalidSealedCredentials: {
    retryable: false,
    httpStatus: 400,
    meaning: "Sealed credentials could not be opened: another key, expired, damaged, or not sealed for this worker.",
    remedy: "Seal them again with the workers' current public key.",
  },
  CredentialsUnavailable: {
    retryable: "depends",
    meaning: "The credential provider of the profile gave no credentials.",
    remedy: "Run `bucketline check` on the worker's machine: it says which provider was asked and what it lacks.",
  },
  ProtectionNotCarried: {
    retryable: false,
    httpStatus: 409,
    meaning:
      "A copy was to keep the lock or the access list of its source, and the store refused it or dropped it. No source was deleted.",
    remedy:
      'Say with objectLock and acl what the copy gets instead, or "drop" to leave it behind; or allow s3:PutObjectRetention, s3:PutObjectLegalHold and s3:PutObjectAcl at the destination, and give its bucket Object Lock.',
  },
  Cancelled: {
    retryable: false,
    httpStatus: 409,
    meaning: "The job or batch was cancelled before it was done. Nothing is deleted after a cancel.",
    remedy: "Ask again where it was cancelled by mistake.",
  },
  ReplicasMissing: {
    retryable: true,
    meaning:
      "Fewer replicas of Redis than `BUCKETLINE_REDIS_WAIT_REPLICAS` asks for have the proof of a copy. Its source is kept until they do.",
    remedy: "Bring the replicas back, or ask for fewer.",
  },
  ProofForgotten: {
    retryable: true,
    meaning: "Redis lost the proof of a copy in a failover before its source was deleted. The source is kept.",
    remedy: "Nothing: the copy is looked for, and made again where it is not there.",
  },
  OperationTimeout: {
    retryable: true,
    meaning: "One attempt took longer than the worker allows (`BUCKETLINE_OPERATION_TIMEOUT`).",
    remedy: "Raise the timeout for large objects; transfers in parts go on where they stopped.",
  },
  LockLost: {
    retryable: true,
    meaning:
      "The worker could not confirm in time that the job is still its own, so it stopped before it could harm another run.",
    remedy: "Nothing: another worker takes the job. Many of them mean a slow Redis or an overloaded worker.",
  },
  WorkerShutdown: {
    retryable: true,
    meaning: "The worker was told to stop; the job is handed to another one.",
    remedy: "Nothing.",
  },
  MalformedJob: {
    retryable: false,
    meaning:
      "What Redis holds of the job cannot be read: it was not written by a producer of Bucketline. It is in quarantine.",
    remedy: "Look at it under Quarantine in the dashboard, mend the program that wrote it, and remove it there.",
  },
  JobStalled: {
    retryable: false,
    meaning: "Workers died with this job again and again, so it was given up.",
    remedy: "Look for workers that are killed (memory, node restarts), then run the job again.",
  },
  JobFailed: {
    retryable: false,
    meaning: "The job failed without an error that could be read.",
    remedy: "Look into the worker's log at that time.",
  },
  JobExpired: {
    retryable: false,
    httpStatus: 404,
    meaning: "The job is not in Redis any more: it was removed, or kept for its retention.",
    remedy: "Keep results for longer (retention), or read them sooner.",
  },
  JobEnded: {
    retryable: false,
    httpStatus: 409,
    meaning: "The job has ended and cannot be cancelled any more.",
    remedy: "Nothing.",
  },
  JobNotFailed: {
    retryable: false,
    httpStatus: 409,
    meaning: "Only failed jobs can be run again.",
    remedy: "Wait for the job's end, or ask anew.",
  },
  WaitTimeout: {
    retryable: true,
    httpStatus: 202,
    meaning: "The job did not end while it was waited for. It goes on.",
    remedy: "Wait again with the same handle; check that workers take this activity.",
  },
  InvalidResult: {
    retryable: false,
    meaning:
      "The job's result is not what the contract of its activity says: another version of worker or producer, or a job that was tampered with.",
    remedy: "Use the same version of producer and worker.",
  },
  ListTooLong: {
    retryable: false,
    meaning: "The list is too long to be held in memory at once.",
    remedy: "Iterate over `job.entities()`, which reads it as it goes.",
  },
  ProducerClosed: {
    retryable: false,
    meaning: "The producer was closed while it was asked for something.",
    remedy: "Close producers after their last call.",
  },
  ScheduleRemoved: {
    retryable: true,
    httpStatus: 409,
    meaning: "The schedule was removed by somebody else while it was made.",
    remedy: "Make it again where it is still wanted.",
  },
  SourceChanged: {
    retryable: false,
    meaning:
      "The source is not the object any more that was pinned: it was overwritten or replaced. It was kept, and so was the copy.",
    remedy: "Ask again: a new job works on what is there now.",
  },
  NullVersionAtRisk: {
    retryable: false,
    meaning:
      "The bucket's versioning is suspended and a null version lies below the current one: a plain delete would have removed it for good. Nothing was deleted.",
    remedy: "Name the version (versionId) that is to be moved, or remove the null version first.",
  },
  PrefixIgnored: {
    retryable: false,
    httpStatus: 502,
    meaning: "The store listed keys that do not start with the prefix that was asked for. Nothing was done with them.",
    remedy: "Use a store, or a gateway in front of it, that keeps to the prefix of a listing.",
  },
  VersionIgnored: {
    retryable: false,
    meaning:
      "A version was asked for by name and the store's answer was about another one, or named none: the store does not know versions.",
    remedy: "Leave the version out where the store has none.",
  },
  Overlap: {
    retryable: false,
    meaning:
      "Another job or batch was at work on the same source or destination, and `onOverlap` said not to wait for it. Nothing was done.",
    remedy: 'Ask again once the one that is named has ended, or let it wait (`onOverlap: "wait"`).',
  },
  DestinationChanged: {
    retryable: false,
    meaning:
      "The destination does not hold the copy any more that was just proven: somebody else replaced it, and `onConflict` said to replace nothing. The source was kept.",
    remedy: "Look at both, then move to another destination.",
  },
  SameObject: {
    retryable: false,
    meaning: "Source and destination are one object under two names; a move would delete the only copy.",
    remedy: "Choose another destination.",
  },
  DestinationExists: {
    retryable: false,
    httpStatus: 412,
    meaning: "The destination holds another object, and `onConflict` said not to replace it.",
    remedy: 'Remove it, choose another destination, or say `onConflict: "overwrite"`.',
  },
  VerificationFailed: {
    retryable: "depends",
    meaning: "What the store holds is not proven to be what was sent or copied. Nothing was deleted.",
    remedy: "Run the job again. Again and again on one store: run `bucketline check --probe` against it.",
  },
  VerificationTooWeak: {
    retryable: false,
    meaning: "The copy was proven less strictly than `minVerify` asks. The source was kept.",
    remedy: "Lower `minVerify`, or use a store that tells checksums.",
  },
  UnprovenResponse: {
    retryable: true,
    meaning: "The store answered success without what proves it (an ETag, the echoed bucket), so it is not believed.",
    remedy: "Nothing where it passes. If it stays: a proxy or store that rewrites answers; see docs/conformance.md.",
  },
  InternalError: {
    retryable: "depends",
    httpStatus: 500,
    meaning: "The store's or the worker's own failure.",
    remedy: "Of the store: it is tried again. Of the worker: its log has the cause; please report it.",
  },
} as const satisfies ErrorCodeTable;
