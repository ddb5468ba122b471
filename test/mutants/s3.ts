import type { Mutant } from "./change.ts";

const DELETE = "s3/requests/delete.test.ts";
const MOVE = "jobs/move-object/safety.test.ts";

/** What keeps a delete from hitting anything but the pinned object. */
export const s3Mutants: readonly Mutant[] = [
  {
    rule: "a single delete compares the date, because an equal ETag is only equal bytes",
    file: "s3/proof/unchanged.ts",
    find: "isSameSecond(now.lastModified, pin.lastModified)",
    replace: "true",
    test: DELETE,
  },
  {
    rule: "a round of deletes compares the date too",
    file: "s3/requests/delete-many.ts",
    find: "else if (isPinned(now, pin)) unchanged.push(item);",
    replace: "else if (now.etag === pin.etag) unchanged.push(item);",
    test: "s3/requests/delete-many.test.ts",
  },
  {
    rule: "what a reader has of a body is not written over by what comes next",
    file: "s3/requests/get.ts",
    find: "pieces: part.pieces, areKept: false",
    replace: "pieces: part.pieces, areKept: true",
    test: "s3/parts/download/placed.test.ts",
  },
  {
    rule: "a part of a large object that is read by a connection of ours is fenced by the ETag of the first answer",
    file: "s3/requests/open-object.ts",
    find: "if (ifMatch !== undefined && facts.details.etag !== unquoteEtag(ifMatch)) throw changed(about, ifMatch, facts);",
    replace: "",
    test: "s3/parts/download/placed.test.ts",
  },
  {
    rule: "an answer must name the version that was asked for",
    file: "s3/requests/object-facts.ts",
    find: 'object.versionId !== (versionId ?? "null")',
    replace: "false",
    test: DELETE,
  },
  {
    rule: "a null version that nobody copied is not removed",
    file: "s3/requests/delete.ts",
    find: "if (now !== undefined && !named) await refuseLossOfNullVersion(store, now, call);",
    replace: "",
    test: DELETE,
  },
  {
    rule: "a round of deletes asks for versions also where its first key is gone",
    file: "s3/proof/look-at-many.ts",
    find: "for (const key of tells(found.get(first)) ? [] : keys) {",
    replace: "for (const key of [] as string[]) {",
    test: DELETE,
  },
  {
    rule: "every repeated delete is preceded by another look",
    file: "s3/requests/delete.ts",
    find: 'if ((attempt > 1 || fast === "unknown") && (await look()) === undefined) return GONE;',
    replace: "",
    test: DELETE,
  },
  {
    rule: "a copy that may replace nothing is not repeated blindly where the store takes any",
    file: "s3/requests/copy.ts",
    find: "const once = request.ifNoneMatch !== undefined && !store.connection.conditionalWrite;",
    replace: "const once = false;",
    test: MOVE,
  },
  {
    rule: "a delete names date and size too, which the same bytes written again do not meet",
    file: "s3/proof/delete-conditions.ts",
    find: "  return { etag, size, lastModified };\n",
    replace: "  return { etag };\n",
    test: DELETE,
  },
  {
    rule: "a round of deletes is never repeated without a look",
    file: "s3/requests/delete-many.ts",
    find: "(item) => pinOf(bucket, item) !== undefined || (!store.connection.conditionalDelete && item.etag !== undefined),",
    replace: "() => false,",
    test: "s3/requests/delete-many.test.ts",
  },
  {
    rule: "gone is what the store itself says, not a proxy",
    file: "s3/requests/head.ts",
    find: "return isSaidByStore(told) ? told : unproven(about, SAID_MISSING, 404);",
    replace: "return told;",
    test: DELETE,
  },
  {
    rule: "tags that a store drops when headers are replaced are read before the copy, as in place they are gone afterwards",
    file: "s3/requests/copy.ts",
    find: `  const wanted = await droppedTags(store, request, call);
  const copied = await copyWithItsKey(store, request, call);
`,
    replace: `  const copied = await copyWithItsKey(store, request, call);
  const wanted = await droppedTags(store, request, call);
`,
    test: "test/attributes.test.ts",
  },
  {
    rule: "a copy whose source goes is not made where its tags may not be read",
    file: "s3/requests/tags.ts",
    find: `if (tagCount === 0 && unreadTags === "leave") return;`,
    replace: "if (tagCount === 0) return;",
    test: "s3/requests/tags.test.ts",
  },
  {
    rule: "another range than the one that was asked for is not taken for it",
    file: "s3/requests/open-object.ts",
    find: "if (range !== undefined && ranged) checkRange(",
    replace: "if (range !== undefined && size < 0) checkRange(",
    test: "s3/requests/get.test.ts",
  },
  {
    rule: "a listing with keys outside the prefix is no listing",
    file: "s3/requests/listings/proven.ts",
    find: "throw ignoredPrefix(bucket, prefix);",
    replace: "void ignoredPrefix(bucket, prefix);",
    test: "s3/requests/listings/page.test.ts",
  },
];
