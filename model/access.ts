import type { CredentialsRef } from "./entities.ts";

/** What one side of a job touches, for the allow policy of the profile it is touched with. */
export type Access = {
  readonly credentials?: CredentialsRef | undefined;
  readonly bucket?: string;
  /** One object. */
  readonly key?: string;
  /** Every object whose key starts so; absent together with `key` where the bucket itself is touched. */
  readonly prefix?: string;
  /** The activity that the policy has to allow for it. Default: the job's own. */
  readonly activity?: string;
};

/** A presigned URL does what these activities do, so the policy has to allow them beside presign-object itself. */
export const PRESIGNED_ACTIVITY = { get: "get-object", put: "put-object", delete: "delete-object" } as const;
