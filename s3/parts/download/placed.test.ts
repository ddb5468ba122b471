import { beforeEach, describe, expect, test } from "vitest";
import type { Span } from "../../../model/content/placed.ts";
import { object, openLarge as openWith, SIZE, TRANSFER } from "../../../test/stores/open-large.ts";
import { call, content, errorOf, MIB, type OpenOptions } from "../../../test/open-s3.ts";
import type { S3 } from "../../interface.ts";

/** Parts come by connections of our own; by the SDK behind a proxy, or where the fast path is ruled out. */
let fastPath = true;

const openLarge = (options: OpenOptions = {}) => openWith({ ...options, s3: { fastPath, ...options.s3 } });

/** Takes the object at its places. Fails where a byte comes twice, or one that is there already. */
async function take(
  s3: S3,
  have: readonly Span[] = [],
  taking = call,
  onPlaced: (at: number) => void = () => undefined,
  expected = have,
) {
  const { placed, body } = await s3.get({ object, placed: true }, taking);
  if (placed === undefined) throw new Error("expected pieces with places");
  placed.expect?.(expected);
  // What is there already must not be on its way meanwhile.
  expect(body.destroyed).toBe(expected[0]?.start === 0);
  const got = Buffer.alloc(SIZE);
  const times = new Uint8Array(SIZE);
  for (const { start, end } of have) times.fill(1, start, end);
  await placed.deliver(have, async (chunks, start) => {
    let at = start;
    for (const chunk of chunks) {
      got.set(chunk, at);
      for (let byte = at; byte < at + chunk.length; byte += 1) times[byte] = (times[byte] ?? 0) + 1;
      at += chunk.length;
    }
    onPlaced(start);
  });
  expect(times.every((count) => count === 1)).toBe(true);
  return { got, placed };
}

describe.each([
  ["by connections of its own", true],
  ["by the SDK", false],
])("%s", (_way, isFast) => {
  beforeEach(() => {
    fastPath = isFast;
  });

  test.each([1, 2, 4])("places every byte of a large object once (%i at once)", async (concurrency) => {
    const { s3, bytes, gets, sandbox, events } = await openLarge({
      connection: { transfer: { ...TRANSFER, concurrency } },
    });
    const { got, placed } = await take(s3);
    expect(got.equals(bytes)).toBe(true);
    expect(gets()).toHaveLength(concurrency === 1 ? 1 : 11);
    expect(events.filter(({ path }) => path === "fast")).toHaveLength(fastPath && concurrency > 1 ? 10 : 0);
    const fences = new Set(gets().flatMap(({ headers }) => headers["if-match"] ?? []));
    expect([...fences]).toEqual(concurrency === 1 ? [] : [`"${sandbox.object("in", "large")?.etag}"`]);
    await expect(placed.comparison?.check("0")).rejects.toMatchObject({ code: "VerificationFailed", retryable: true });
  });

  const HAVE = [
    { start: MIB, end: 3 * MIB + 5 },
    { start: 9 * MIB, end: SIZE },
  ];

  test.each([
    ["in ranges", 4, false],
    ["one after the other", 1, false],
    ["out of the whole where the store ignores ranges", 4, true],
    ["out of the whole where the store ignores ranges, in one line", 1, true],
  ])("places only what is missing, %s", async (_, concurrency, ignores) => {
    const { s3, bytes, sandbox } = await openLarge({ connection: { transfer: { ...TRANSFER, concurrency } } });
    if (ignores)
      sandbox.before("GetObject", ({ headers }) => {
        delete headers["range"];
      });
    for (const have of [HAVE, [{ start: 0, end: MIB }]]) {
      const { got } = await take(s3, have);
      for (const { start, end } of have) bytes.copy(got, start, start, end);
      expect(got.equals(bytes)).toBe(true);
    }
    expect((await take(s3, [{ start: 0, end: SIZE }])).got.every((byte) => byte === 0)).toBe(true);
  });

  test.each([4, 1])("places everything where less is there than was expected (%i at once)", async (concurrency) => {
    const { s3, bytes } = await openLarge({ connection: { transfer: { ...TRANSFER, concurrency } } });
    const { got } = await take(s3, [], call, undefined, [{ start: 0, end: 3 * MIB }]);
    expect(got.equals(bytes)).toBe(true);
  });

  test.each([4, 1])(
    "asks again only for what is missing where an answer breaks off (%i at once)",
    async (concurrency) => {
      const { s3, bytes, sandbox, gets } = await openLarge({ connection: { transfer: { ...TRANSFER, concurrency } } });
      sandbox.fault({ kind: "truncate", operation: "GetObject", afterBytes: 300_000, times: 4 });
      expect((await take(s3)).got.equals(bytes)).toBe(true);
      const starts = gets().map(({ headers }) => Number(/bytes=(\d+)-/.exec(String(headers["range"]))?.[1] ?? 0));
      expect(starts.filter((start) => start % MIB !== 0).length).toBeGreaterThanOrEqual(1);
    },
  );

  test.each([true, false])(
    "fails as changed where the object is replaced while it is read (conditions: %s)",
    async (enforceConditions) => {
      const { s3, sandbox } = await openLarge({ sandbox: { enforceConditions } });
      let isOld = true;
      const replace = (): void => {
        if (isOld) sandbox.put("in", "large", content(SIZE).bytes.fill(7));
        isOld = false;
      };
      expect(await errorOf(take(s3, [], call, replace))).toMatchObject({ code: "SourceChanged", retryable: false });
    },
  );

  test("places nothing any more once it has failed or the caller has given up", async () => {
    const { s3 } = await openLarge();
    const broken = new Error("no room");
    let later = 0;
    const failing = take(s3, [], call, () => {
      later += 1;
      throw broken;
    });
    await expect(failing).rejects.toBe(broken);
    const failed = later;
    const controller = new AbortController();
    const reason = new Error("cancelled");
    const cancelled = take(s3, [], { signal: controller.signal }, () => {
      later += 1;
      controller.abort(reason);
    });
    await expect(cancelled).rejects.toBe(reason);
    const ended = later;
    expect((await take(s3)).got).toHaveLength(SIZE);
    expect([failed <= TRANSFER.concurrency, later]).toEqual([true, ended]);
  });
});
