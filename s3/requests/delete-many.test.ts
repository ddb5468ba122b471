import { expect, test } from "vitest";
import { call, openOddStore, openS3 } from "../../test/open-s3.ts";

const codes = (outcomes: readonly { key: string; error?: { code: string } }[]): [string, string | undefined][] =>
  outcomes.map(({ key, error }) => [key, error?.code]);

test("deletes many keys with one call, and counts missing ones as deleted", async () => {
  const { sandbox, s3 } = await openS3();
  const items = Array.from({ length: 1_000 }, (_, index) => ({ key: `k${index}` }));
  for (const { key } of items.slice(1)) sandbox.put("in", key, "x");
  const outcomes = await s3.deleteMany({ bucket: "in", items }, call);
  expect(outcomes.every(({ error }) => error === undefined)).toBe(true);
  expect(sandbox.count("in")).toBe(0);
  expect(sandbox.calls("DeleteObjects")).toBe(1);
});

test("deletes only the content that each ETag names, and says which keys changed", async () => {
  const { sandbox, s3, pin } = await openS3();
  for (const key of ["a", "b", "c\u0001"]) sandbox.put("in", key, "old");
  const items = ["a", "b", "c\u0001"].map((key) => ({ key, etag: pin("in", key).etag }));
  sandbox.put("in", "b", "newer");
  sandbox.put("in", "c\u0001", "newer");
  const outcomes = await s3.deleteMany({ bucket: "in", items }, call);
  expect(codes(outcomes)).toEqual([
    ["a", undefined],
    ["b", "SourceChanged"],
    ["c\u0001", "SourceChanged"],
  ]);
  expect(sandbox.keys("in")).toEqual(["b", "c\u0001"]);
});

test("sends no ETags to a store that does not enforce them", async () => {
  const { sandbox, s3 } = await openS3({ connection: { conditionalDelete: false } });
  sandbox.put("in", "a", "x");
  expect(codes(await s3.deleteMany({ bucket: "in", items: [{ key: "a", etag: "0" }] }, call))).toEqual([
    ["a", undefined],
  ]);
});

test.each(["a", "odd\u0001"])(
  "deletes nothing that came to %j after a request whose answer was lost, also where ETags are not enforced",
  async (key) => {
    const { sandbox, s3, pin } = await openS3({
      sandbox: { enforceConditions: false },
      connection: { conditionalDelete: false },
    });
    sandbox.put("in", key, "old");
    const { etag } = pin("in", key);
    sandbox.fault({ operation: ["DeleteObjects", "DeleteObject"], kind: "reset-after", times: 1 });
    let writes = 0;
    for (const operation of ["DeleteObjects", "DeleteObject"] as const)
      sandbox.after(operation, () => {
        if (writes++ === 0) sandbox.put("in", key, "newer");
      });
    const outcome = await s3
      .deleteMany({ bucket: "in", items: [{ key, etag }] }, call)
      .catch((error: unknown) => error);
    expect(outcome).not.toEqual([{ key }]);
    expect(sandbox.text("in", key)).toBe("newer");
  },
);

test("counts as deleted what a request without an answer has deleted, also in a versioned bucket", async () => {
  const { sandbox, s3, pin } = await openS3();
  sandbox.createBucket("versioned", { versioning: true });
  for (const key of ["a", "b"]) sandbox.put("versioned", key, "old");
  const items = ["a", "b"].map((key) => ({ key, etag: pin("versioned", key).etag }));
  sandbox.put("versioned", "b", "newer");
  sandbox.fault({ operation: "DeleteObjects", kind: "reset-after", times: 1 });
  expect(codes(await s3.deleteMany({ bucket: "versioned", items }, call))).toEqual([
    ["a", undefined],
    ["b", "SourceChanged"],
  ]);
  expect(sandbox.text("versioned", "b")).toBe("newer");
});

test("says of a key whose delete had no answer that it may be gone, whatever came after", async () => {
  const { sandbox, s3, pin } = await openS3();
  const key = "odd\u0001";
  sandbox.put("in", key, "old");
  sandbox.put("in", "denied", "old");
  sandbox.fault({ operation: "DeleteObject", kind: "reset-after", times: 1 });
  sandbox.after(
    "DeleteObject",
    () =>
      void sandbox.fault({ operation: ["HeadObject", "GetObject"], kind: "status", status: 403, code: "AccessDenied" }),
  );
  const { etag, size, lastModified } = pin("in", key);
  const outcomes = await s3.deleteMany({ bucket: "in", items: [{ key, etag, size, lastModified }] }, call);
  expect(sandbox.keys("in")).toEqual(["denied"]);
  expect(outcomes).toMatchObject([{ key, error: { code: "AccessDenied" }, uncertain: true }]);
});

test("deletes odd keys byte for byte, one by one where XML cannot carry them", async () => {
  const keys = ["x\r\ny", "x\ny", "\u0001", " a ", "<&>\"'", "ü 日本 \u{1F600}", "\u2028", "a+b%20", "\uFFFE"];
  const { sandbox, s3 } = await openS3();
  for (const key of [...keys, "x\n\ny", "a b "]) sandbox.put("in", key, "x");
  const outcomes = await s3.deleteMany({ bucket: "in", items: keys.map((key) => ({ key })) }, call);
  expect(codes(outcomes)).toEqual(keys.map((key) => [key, undefined]));
  const single = sandbox.log.filter(({ operation }) => operation === "DeleteObject").map(({ key }) => key);
  expect(single).toEqual(["x\r\ny", "x\ny", "\u0001", " a ", "\u2028", "\uFFFE"]);
  expect(sandbox.keys("in").toSorted()).toEqual(["a b ", "x\n\ny"]);
});

test("deletes named versions, several of one key", async () => {
  const { sandbox, s3 } = await openS3();
  sandbox.createBucket("versioned", { versioning: true });
  const versions = ["1", "2", "3"].map((text) => sandbox.put("versioned", "a", text).versionId ?? "");
  const items = versions
    .slice(0, 2)
    .map((versionId) => ({ key: "a", versionId, etag: "ignored, as a version never changes" }));
  expect(codes(await s3.deleteMany({ bucket: "versioned", items }, call))).toEqual([
    ["a", undefined],
    ["a", undefined],
  ]);
  expect(sandbox.versions("versioned", "a").map(({ versionId }) => versionId)).toEqual([versions[2]]);
});

test.each([
  ["an empty 200", ""],
  ["a web page", "<html><body>hi</body></html>"],
  ["another key only", "<DeleteResult><Deleted><Key>other</Key></Deleted></DeleteResult>"],
])("takes no key for deleted after %s", async (_, body) => {
  const s3 = await openOddStore((request, response) => {
    request.resume().on("end", () => response.end(body));
  });
  const outcomes = s3.deleteMany({ bucket: "in", items: [{ key: "a" }, { key: "b" }] }, call);
  const told = await outcomes.then(codes, (error: { code: string }) => [["all", error.code]]);
  expect(told.every(([, code]) => code === "UnprovenResponse")).toBe(true);
});

test("reads the errors of single keys, and which of them to try again", async () => {
  const errors = { a: "SlowDown", b: "AccessDenied", c: "InternalError", d: "NoSuchKey" };
  const s3 = await openOddStore((request, response) => {
    const lines = Object.entries(errors).map(
      ([key, code]) => `<Error><Key>${key}</Key><Code>${code}</Code><Message>m</Message></Error>`,
    );
    request.resume().on("end", () => response.end(`<DeleteResult>${lines.join("")}</DeleteResult>`));
  });
  const outcomes = await s3.deleteMany({ bucket: "in", items: Object.keys(errors).map((key) => ({ key })) }, call);
  expect(outcomes.map(({ key, error }) => [key, error?.code, error?.retryable])).toEqual([
    ["a", "SlowDown", true],
    ["b", "AccessDenied", false],
    ["c", "InternalError", true],
    ["d", undefined, undefined],
  ]);
  expect(outcomes[1]?.error?.message).toContain("s3://in/b");
});

test.each([true, false])(
  "keeps objects that were written anew with the same bytes, and looks at a round with one listing (conditions enforced: %s)",
  async (enforced) => {
    const { sandbox, s3, pin } = await openS3({
      sandbox: { enforceConditions: enforced },
      connection: { conditionalDelete: enforced },
    });
    const keys = Array.from({ length: 50 }, (_, index) => `p/k${String(index).padStart(2, "0")}`);
    const lastModified = new Date(Date.now() - 3_600_000);
    for (const key of keys) sandbox.put("in", key, "same", { lastModified });
    const items = keys.map((key) => {
      const { etag, size, lastModified: date } = pin("in", key);
      return { key, etag, size, lastModified: date };
    });
    sandbox.put("in", "p/k00", "same", { metadata: { by: "anna" } });
    sandbox.put("in", "p/k31", "same", { metadata: { by: "anna" } });
    sandbox.delete("in", "p/k40");
    const outcomes = await s3.deleteMany({ bucket: "in", items }, call);
    expect(codes(outcomes).filter(([, code]) => code !== undefined)).toEqual([
      ["p/k00", "SourceChanged"],
      ["p/k31", "SourceChanged"],
    ]);
    expect(sandbox.keys("in")).toEqual(["p/k00", "p/k31"]);
    expect(sandbox.calls("ListObjectsV2")).toBe(1);
    // The first, and the one that the listing did not show.
    expect(sandbox.calls("HeadObject")).toBe(2);
  },
);

test.each([
  // The SDK repeats what is answered 501.
  ["NotImplemented", 4],
  ["MethodNotAllowed", 2],
  ["MissingContentMD5", 3],
] as const)("learns once from a store that answers %s to bulk deletes", async (deleteObjects, calls) => {
  const { sandbox, s3, pin } = await openS3({ sandbox: { quirks: { deleteObjects } } });
  for (const round of [1, 2]) {
    const keys = ["a", "b", "c"].map((key) => `${key}${round}`);
    for (const key of keys) sandbox.put("in", key, key);
    const items = keys.map((key) => ({ key, etag: pin("in", key).etag }));
    expect(codes(await s3.deleteMany({ bucket: "in", items }, call))).toEqual(keys.map((key) => [key, undefined]));
  }
  expect(sandbox.keys("in")).toEqual([]);
  // With a checksum, then with Content-MD5, and from then on as the store has it.
  expect(sandbox.calls("DeleteObjects")).toBe(calls);
});
