import { z } from "zod";
import { Verified } from "../../model/entities.ts";
import type { CopyProof, Pin, UploadState } from "../../s3/interface.ts";

/*
 * What is remembered of a job lies in Redis, where others may write: it is read as strictly as a job's input. What is none counts as forgotten, and
 * which object a job is about is said by its input alone.
 */

const text = (most: number) => z.string().max(most);
const size = z.int().nonnegative();

const PinForm: z.ZodType<Pin> = z.object({
  bucket: text(255),
  key: text(1024),
  versionId: text(1024).exactOptional(),
  versionNamed: z.boolean().exactOptional(),
  etag: text(256),
  size,
  lastModified: text(64),
  storageClass: text(64).exactOptional(),
  websiteRedirect: text(2048).exactOptional(),
});

const ProofForm: z.ZodType<CopyProof & { readonly of?: string }> = z.object({
  bucket: text(255),
  key: text(1024),
  versionId: text(1024).exactOptional(),
  etag: text(256),
  size,
  verified: Verified,
  notCarried: z.array(z.literal("tags")).max(1).exactOptional(),
  of: text(64).exactOptional(),
});

const UploadForm: z.ZodType<UploadState> = z.object({
  uploadId: text(4096),
  partSize: size,
  etag: text(512),
  bucket: text(255),
  key: text(1024),
});

/** The longest of them, in characters. */
const LONGEST = 32 * 1024;

function read<Form>(form: z.ZodType<Form>, stored: string | null): Form | undefined {
  if (stored === null || stored.length > LONGEST) return undefined;
  try {
    return form.safeParse(JSON.parse(stored)).data;
  } catch {
    return undefined; // no JSON
  }
}

export const readPin = (stored: string | null): Pin | undefined => read(PinForm, stored);
export const readProof = (stored: string | null) => read(ProofForm, stored);
export const readUpload = (stored: string | null): UploadState | undefined => read(UploadForm, stored);
