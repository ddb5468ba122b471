import { Readable } from "node:stream";
import { beforeAll, afterAll, describe, expect, test } from "vitest";
import { type Harness, startHarness } from "../test/harness.ts";

/** Two profiles for one store: what one may, the other may not, and no request goes out that neither may. */
let harness: Harness;
beforeAll(async () => {
  harness = await startHarness({
    profile: {
      allow: [{ activities: ["copy-object", "move-object", "get-object", "list-objects"], buckets: ["open-in"] }],
    },
    profiles: {
      writer: { allow: [{ activities: ["copy-object", "move-object"], buckets: ["open-out"], prefixes: ["té/"] }] },
      nobody: { allow: [] },
    },
  });
  for (const bucket of ["open-in", "open-out", "secret", "constructor"]) harness.sandbox.createBucket(bucket);
  harness.sandbox.put("open-in", "a", "harmless");
  harness.sandbox.put("secret", "a", "the secret of somebody else");
});
afterAll(() => harness.close());

const touched = (bucket: string) => harness.sandbox.log.filter((request) => request.bucket === bucket);
const object = { bucket: "open-in", key: "a" };

describe("a copy from one profile's bucket to another's", () => {
  test.each([
    ["what the destination's may not write", object, { bucket: "secret", key: "a", credentials: "writer" }],
    ["another key than the destination's prefix", object, { bucket: "open-out", key: "b", credentials: "writer" }],
    ["a key that only looks like the prefix", object, { bucket: "open-out", key: "te\u0301/b", credentials: "writer" }],
    ["a key of other case", object, { bucket: "open-out", key: "TÉ/b", credentials: "writer" }],
    ["a key that a proxy would resolve", object, { bucket: "open-out", key: "té/../x", credentials: "writer" }],
    [
      "what the source's may not read",
      { bucket: "secret", key: "a" },
      { bucket: "open-out", key: "té/b", credentials: "writer" },
    ],
    ["with a destination's that may nothing", object, { bucket: "open-out", key: "té/b", credentials: "nobody" }],
    ["with the source's where the destination's is not named", object, { bucket: "open-out", key: "té/b" }],
  ])("does not touch %s", async (_what, from, destination) => {
    for (const activity of ["copy-object", "move-object"] as const) {
      const before = harness.sandbox.log.length;
      const code = await harness.run(activity, { object: from, destination }).then(
        () => "done",
        (error: { readonly code: string }) => error.code,
      );
      expect([activity, ["PolicyDenied", "InvalidInput", "UnsafeKey"].includes(code), code]).toEqual([
        activity,
        true,
        code,
      ]);
      expect(harness.sandbox.log.slice(before)).toEqual([]);
    }
  });

  test("is done where both may", async () => {
    const destination = { bucket: "open-out", key: "té/b", credentials: "writer" };
    expect(await harness.run("copy-object", { object, destination })).toMatchObject({ success: true });
  });
});

test.each(["../secret/a", "./a", "x/../../secret/a", "..", "a/.", "\u002e\u002e/secret/a"])(
  "a key that a proxy would resolve to another bucket's is refused: %j",
  async (key) => {
    await expect(harness.run("get-object", { object: { bucket: "open-in", key } })).rejects.toMatchObject({
      code: expect.stringMatching(/^(InvalidInput|PolicyDenied)$/) as string,
    });
    expect(touched("secret")).toEqual([]);
  },
);

test.each(["__proto__", "constructor", "toString", "hasOwnProperty", "default ", "DEFAULT", "../default", ""])(
  "%j is no profile",
  async (credentials) => {
    await expect(harness.run("get-object", { object, credentials })).rejects.toMatchObject({
      code: expect.stringMatching(/^(UnknownProfile|InvalidInput)$/) as string,
    });
  },
);

test("lines of a manifest touch nothing that the policy denies, under whatever name", async () => {
  const { producer } = harness;
  const lines = [
    { bucket: "secret", key: "a" },
    { bucket: "constructor", key: "__proto__" },
    { bucket: "open-in", key: "__proto__" },
    { bucket: "open-in", key: "../secret/a" },
    { bucket: "open-in", key: "a", destinationKey: "té/../../secret/b" },
    { bucket: "open-in", key: "a", destinationKey: "elsewhere/a" },
    { bucket: "open-in", key: "a", destinationKey: "té/good" },
  ];
  const content = Readable.from(lines.map((line) => `${JSON.stringify(line)}\n`));
  const manifest = await producer.documents.write(content, { name: "manifest", contentType: "application/x-ndjson" });
  const batch = await producer.batches.start({
    operation: "copy",
    source: { manifest, format: "ndjson" },
    destination: { bucket: "open-out", credentials: "writer" },
    label: "__proto__",
  });
  const { succeeded, listed, errors } = await batch.done();
  expect([succeeded, listed]).toEqual([1, lines.length]);
  expect(Object.keys(errors).toSorted()).toEqual(["DestinationTaken", "PolicyDenied", "UnsafeKey"]);
  expect([touched("secret"), touched("constructor")]).toEqual([[], []]);
  expect(harness.sandbox.text("open-out", "té/good")).toBe("harmless");
});
