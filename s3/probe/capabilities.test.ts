import { expect, test } from "vitest";
import type { EnforcedConditions } from "../../sandbox/index.ts";
import { call, connectionTo, openS3 } from "../../test/open-s3.ts";
import { capabilityTitles, probeCapabilities, profileFor } from "./capabilities.ts";
import { removeScratch } from "./scratch-objects.ts";

const { signal } = call;

async function probe(options: Parameters<typeof openS3>[0] = {}) {
  const { sandbox } = await openS3(options);
  const found = await probeCapabilities(connectionTo(sandbox), { bucket: "in", signal });
  return { sandbox, found, of: (name: string) => found.find((one) => one.name === name)?.found };
}

test("finds that all works where all does, and leaves nothing behind", async () => {
  const { sandbox, found } = await probe();
  expect(found.map(({ name }) => name)).toEqual(Object.keys(capabilityTitles));
  expect(found.filter((one) => one.found !== "works")).toEqual([]);
  expect(profileFor(found)).toEqual({
    conditionalCopy: true,
    conditionalDelete: true,
    conditionalWrite: true,
    checksums: "when-supported",
  });
  expect([sandbox.keys("in"), sandbox.uploads("in")]).toEqual([[], []]);
});

test.each<[keyof EnforcedConditions, readonly string[]]>([
  ["copySource", ["conditional-copy", "conditional-part-copy"]],
  ["delete", ["conditional-delete"]],
  ["multiDelete", ["conditional-bulk-delete"]],
  ["write", ["conditional-write", "conditional-multipart-write"]],
  ["copy", ["conditional-copy-write"]],
])("finds a store out that ignores conditions of %s", async (condition, expected) => {
  const { found } = await probe({ sandbox: { enforceConditions: { [condition]: false } } });
  expect(found.filter((one) => one.found === "ignored").map(({ name }) => name)).toEqual(expected);
});

test("trusts conditional deletes only where both kinds are enforced, and copies and writes likewise", async () => {
  const { found } = await probe({ sandbox: { enforceConditions: { multiDelete: false, copy: false } } });
  expect(profileFor(found)).toMatchObject({ conditionalCopy: true, conditionalDelete: false, conditionalWrite: false });
});

test("finds out what is ignored beside conditions", async () => {
  const { of } = await probe({
    sandbox: { quirks: { noUrlEncoding: true, noChecksums: true }, verifySignatures: false },
  });
  expect([of("url-encoded-listing"), of("checksums-kept"), of("signatures")]).toEqual([
    "ignored",
    "ignored",
    "ignored",
  ]);
});

test("finds what is refused, and goes on", async () => {
  const { sandbox } = await openS3();
  sandbox.fault({ operation: "UploadPartCopy", kind: "status", status: 501, code: "NotImplemented" });
  const found = await probeCapabilities(connectionTo(sandbox), { bucket: "in", signal });
  const refused = found.filter(({ name, found: how }) => how === "refused" && name.endsWith("part-copy"));
  expect(refused).toEqual([
    { name: "conditional-part-copy", found: "refused", detail: "501 NotImplemented" },
    { name: "part-copy", found: "refused", detail: "501 NotImplemented" },
  ]);
  expect(sandbox.uploads("in")).toEqual([]);
});

test("leaves a versioned bucket as it was, other people's objects included", async () => {
  const { sandbox } = await openS3();
  sandbox.createBucket("versioned", { versioning: true });
  sandbox.put("versioned", "theirs", "x");
  await probeCapabilities(connectionTo(sandbox), { bucket: "versioned", prefix: "probe/", signal });
  expect(sandbox.keys("versioned")).toEqual(["theirs"]);
  for (const name of ["first", "copy", "delete", "tags"])
    expect(sandbox.versions("versioned", `probe/${name}`)).toEqual([]);
});

test("says what is wrong with a bucket that cannot be used", async () => {
  const { sandbox } = await openS3();
  await expect(probeCapabilities(connectionTo(sandbox), { bucket: "none", signal })).rejects.toMatchObject({
    code: "NoSuchBucket",
  });
});

test("cleans up after an abort too", async () => {
  const { sandbox } = await openS3();
  const controller = new AbortController();
  sandbox.after("CreateMultipartUpload", () => controller.abort(new Error("enough")));
  const probing = probeCapabilities(connectionTo(sandbox), { bucket: "in", signal: controller.signal });
  await expect(probing).rejects.toThrow("enough");
  expect([sandbox.keys("in"), sandbox.uploads("in")]).toEqual([[], []]);
});

test("removes every object, version and upload under a prefix and nothing else", async () => {
  const { sandbox, s3 } = await openS3();
  sandbox.createBucket("versioned", { versioning: true });
  for (const key of ["mine/a", "mine/a", "mine/ü+ %", "mine/line\nbreak", "other"]) sandbox.put("versioned", key, "x");
  sandbox.delete("versioned", "mine/a");
  await removeScratch(s3.connection, { bucket: "versioned", prefix: "mine/" }, call);
  expect(sandbox.keys("versioned")).toEqual(["other"]);
  for (const key of ["mine/a", "mine/ü+ %", "mine/line\nbreak"]) expect(sandbox.versions("versioned", key)).toEqual([]);
});

test("a store that ends with a probe is told of as far as it answered", async () => {
  const { sandbox } = await openS3();
  sandbox.before("PutObject", ({ key }) => {
    if (Buffer.byteLength(key) === 1024) sandbox.fault({ kind: "reset" });
  });
  const found = await probeCapabilities(connectionTo(sandbox), { bucket: "in", prefix: "probe/", signal });
  const details = new Map(found.map(({ name, detail }) => [name, detail]));
  expect(details.get("ranges")).toBe("three bytes of more");
  expect(details.get("key-length")).toBe("no answer");
  expect(details.get("metadata-size")).toBe("not tried: the store answers no more");
});
