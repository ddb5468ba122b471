import { z } from "zod";
import { NotCarried } from "../../model/attributes/carried.ts";
import { ObjectLock } from "../../model/attributes/object-lock.ts";
import { Verified } from "../../model/entities.ts";
import type { CopyProof, Pin, UploadState } from "../../s3/interface.ts";

/*
 * What is remembered of a job lies in Redis, where others may write: it is read as strictly as a job's input. What is none counts as forgotten, and
 * which object a job is about is said by its input alone.
 */

const text = (most: number) => z.string().max(most);
const size = z.int().nonnegative();

/** A form with every field of the type: one that is forgotten here would be forgotten by each later attempt. */
const formOf = <Value extends object>(fields: Record<keyof Value, z.ZodType>) =>
  z.object(fields) as unknown as z.ZodType<Value>; // the fields' own types are those of the tests of what is remembered

const PinForm = formOf<Pin>({
  bucket: text(255),
  key: text(1024),
  versionId: text(1024).exactOptional(),
  versionNamed: z.boolean().exactOptional(),
  etag: text(256),
  size,
  lastModified: text(64),
  storageClass: text(64).exactOptional(),
  websiteRedirect: text(2048).exactOptional(),
  objectLock: ObjectLock.nullable().exactOptional(),
});

const ProofForm = formOf<CopyProof & { readonly of?: string }>({
  bucket: text(255),
  key: text(1024),
  versionId: text(1024).exactOptional(),
  etag: text(256),
  size,
  verified: Verified,
  notCarried: z.array(NotCarried).max(NotCarried.options.length).exactOptional(),
  of: text(64).exactOptional(),
});

const UploadForm = formOf<UploadState>({
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
