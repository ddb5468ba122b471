import { expect, test } from "vitest";
import { droppedBody, patternBody } from "./body.ts";
import { CompactObjects } from "./compact-objects.ts";
import { PLAIN_FACTS, type StoredObject } from "./stored-object.ts";

function plain(key: string, more: Partial<StoredObject> = {}): StoredObject {
  return {
    key,
    body: patternBody(7, 100),
    etag: "0123456789abcdef0123456789abcdef",
    lastModified: 1000,
    facts: PLAIN_FACTS,
    ...more,
  };
}

test("gives back what it took, past its first thousand and after deletions", () => {
  const objects = new CompactObjects();
  for (let i = 0; i < 3000; i++) expect(objects.set(plain(`k${i}`, { body: patternBody(i, i + 1) }))).toBe(true);
  for (let i = 0; i < 3000; i += 2) objects.delete(`k${i}`);
  for (let i = 0; i < 1000; i++) objects.set(plain(`n${i}`, { body: droppedBody(i + 1) }));
  expect(objects.size).toBe(2500);
  expect(objects.get("k1")).toEqual(plain("k1", { body: patternBody(1, 2) }));
  expect(objects.get("k0")).toBeUndefined();
  expect(objects.get("n999")).toEqual(plain("n999", { body: droppedBody(1000) }));
});

test("refuses what does not fit its columns", () => {
  const objects = new CompactObjects();
  expect(objects.set(plain("a", { tags: [{ key: "a", value: "1" }] }))).toBe(false);
  expect(objects.set(plain("a", { versionId: "v" }))).toBe(false);
  expect(objects.set(plain("a", { etag: "0123456789abcdef0123456789abcdef-2" }))).toBe(false);
  expect(objects.set(plain("a", { body: { size: 0, extents: [] } }))).toBe(false);
  expect(objects.size).toBe(0);
});
