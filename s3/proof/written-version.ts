/**
 * The version that a write says it made. Some stores, moto among them, call the only version of a bucket without versions `null`, and
 * then refuse a HEAD of it by that name: the current object is that version.
 */
export function writtenVersion(versionId: string | undefined): string | undefined {
  return versionId === "null" || versionId === "" ? undefined : versionId;
}
