import type { CopyProof } from "../../../s3/interface.ts";

export type Target = { readonly bucket: string; readonly key: string };

/** A proof, and whether the source is gone, as an earlier delivery deleted it. */
export type Found = CopyProof & { readonly sourceGone?: boolean };
