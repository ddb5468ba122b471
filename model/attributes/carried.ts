import { z } from "zod";
import { ObjectLock } from "./object-lock.ts";
import { attributeFields, attributesOf, CannedAcl, type ObjectAttributes } from "../object-attributes.ts";

/** `keep`: as the source has it, or the copy is refused. `name`: left behind, and the result says so where there was one. `drop`: left behind, without a look. */
export type Carry = "keep" | "name" | "drop";

/** What becomes of the access list and the lock of a source, where a copy is not told what it gets instead. */
export type Protect = { readonly acl: Carry; readonly objectLock: Carry };

/** Says what a copy may not have of its source, in results and rows. */
export const NotCarried = z.enum(["tags", "acl", "objectLock"]);
export type NotCarried = z.infer<typeof NotCarried>;

/** The field of a result that names it. */
export const notCarriedField = z.array(NotCarried).optional().meta({
  description:
    "What of the source is not at the copy: the access list (acl) or the lock (objectLock) that it was not asked to keep, or tags that may not be read, if there were any",
});

const CopiedAcl = z.enum([...CannedAcl.options, "keep", "drop"]).meta({
  id: "CopiedAcl",
  description:
    "Who may access the copy. keep: whoever may access the source, or the copy is refused; drop: as the destination's bucket says. Default: as drop, but an access list that is left behind is named; keep where an object is changed in place",
});

const CopiedLock = z.union([ObjectLock, z.enum(["keep", "drop"])]).meta({
  id: "CopiedLock",
  description:
    "How long the copy must stay. keep: as long as the source, or the copy is refused; drop: as the destination's bucket says. Default: keep for a move and where an object is changed in place; else as drop, but a lock that is left behind is named",
});

/** What may be said of a copy; what is not said is carried over. */
export const copiedFields = { ...attributeFields, acl: CopiedAcl.optional(), objectLock: CopiedLock.optional() };

/** What is said of a copy. */
export type CopiedAttributes = Omit<ObjectAttributes, "acl" | "objectLock"> & {
  readonly acl?: z.output<typeof CopiedAcl> | undefined;
  readonly objectLock?: z.output<typeof CopiedLock> | undefined;
};

/** What of it replaces something of the source's. */
export function replacedOf(said: CopiedAttributes): ObjectAttributes {
  const { acl, objectLock, ...rest } = said;
  return attributesOf({
    ...rest,
    ...(acl !== undefined && acl !== "keep" && acl !== "drop" && { acl }),
    ...(typeof objectLock === "object" && { objectLock }),
  });
}

/** What becomes of the source's protection. @param sourceGoes whether the source is deleted afterwards, so that a lock that is left behind would be gone */
export function protectOf({ acl, objectLock }: CopiedAttributes, sourceGoes: boolean): Protect {
  return {
    acl: acl === undefined ? "name" : acl === "keep" ? "keep" : "drop",
    objectLock: objectLock === undefined ? (sourceGoes ? "keep" : "name") : objectLock === "keep" ? "keep" : "drop",
  };
}
