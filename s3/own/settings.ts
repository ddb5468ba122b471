import type { Proxy } from "../../credentials/proxy.ts";

/** How to reach a bucket of one's own. A worker's connection fits as it is; what is absent the AWS SDK finds in its environment. */
export type OwnSettings = {
  /** Asked again in time where its answer has an `expiration`. */
  readonly credentials?: () => Promise<{
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
    readonly expiration?: Date;
  }>;
  readonly region?: string;
  /** Absent: AWS. */
  readonly endpoint?: string;
  /** `http://host/bucket/key`; default true with an endpoint. */
  readonly pathStyle?: boolean;
  /** The twelve-digit account that must own the bucket. */
  readonly expectedBucketOwner?: string;
  /** Between this process and the store. Default none. */
  readonly proxy?: Proxy;
};
