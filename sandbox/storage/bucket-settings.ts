import type { Acl } from "./acl.ts";
import type { Encryption, Retention, Tag } from "./stored-object.ts";

export type ObjectOwnership = "BucketOwnerEnforced" | "BucketOwnerPreferred" | "ObjectWriter";

export type PublicAccessBlock = {
  blockPublicAcls: boolean;
  ignorePublicAcls: boolean;
  blockPublicPolicy: boolean;
  restrictPublicBuckets: boolean;
};

/** One statement of a bucket's policy, with the forms of IAM brought to lists. */
export type PolicyStatement = {
  effect: "Allow" | "Deny";
  /** Accounts, or `*`. */
  principals: readonly string[];
  notPrincipals?: readonly string[];
  actions: readonly string[];
  notActions?: readonly string[];
  resources: readonly string[];
  notResources?: readonly string[];
  /** Operator, key, values. */
  conditions: readonly { operator: string; key: string; values: readonly string[] }[];
};

export type BucketPolicy = { text: string; statements: readonly PolicyStatement[] };

export type CorsRule = {
  id?: string | undefined;
  origins: readonly string[];
  methods: readonly string[];
  headers: readonly string[];
  exposed: readonly string[];
  maxAgeSeconds?: number | undefined;
};

/** How long new objects of a locked bucket are kept. */
export type DefaultRetention = { mode: Retention["mode"]; days?: number; years?: number };

/** What was set on a bucket; absent is what was never set. */
export type BucketSettings = {
  acl?: Acl;
  /** Absent: as the server's options say. */
  ownership?: ObjectOwnership;
  publicAccess?: PublicAccessBlock;
  policy?: BucketPolicy;
  cors?: readonly CorsRule[];
  tags?: readonly Tag[];
  encryption?: Encryption;
  /** Object Lock is on; it cannot be turned off again. */
  lock?: { retention?: DefaultRetention };
  /** Others than the owner have to say that they pay for their requests. */
  requesterPays?: boolean;
};
