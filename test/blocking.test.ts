import { threadCpuUsage } from "node:process";
import { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { parseManifestLines } from "../batches/listing/manifest-entries.ts";
import { csvLines } from "../batches/report/read-rows.ts";
import { clientOf } from "../dashboard/access/entries.ts";
import { errorForLog } from "../dashboard/error-for-log.ts";
import { BasePath, withoutBase } from "../dashboard/http/base-path.ts";
import { needlesOf } from "../dashboard/search/find-jobs.ts";
import { keyProblem } from "../model/object-key.ts";
import { oneLine } from "../producer/audit/entry.ts";
import { parseListing } from "../s3/requests/listings/parse.ts";
import { copyResultEtag } from "../s3/transport/copy-result.ts";
import { createFilter } from "../batches/listing/filter.ts";
import { BatchSpec } from "../batches/spec/request.ts";
import { bucketPattern } from "../credentials/policy.ts";
import { errorOf, subjectOf } from "../dashboard/job-views/job-fields.ts";
import { redact, redactText } from "../dashboard/redact.ts";
import { activityNames, contracts } from "../jobs/contracts.ts";
import { toActivityError } from "../s3/error-mapping.ts";

/**
 * Nothing that somebody sends, or writes to Redis, or a store answers, may hold up the event loop: whoever waits for it waits for
 * everything. Texts are made of the pieces that patterns look for, again and again, up to the longest that is let in.
 */
const BLOCKED_MS = 50;

/** Numbers that are the same in every run. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

type Random = ReturnType<typeof randomOf>;

/** A few pieces, repeated: what backtracks does so on repetition. Ends with something else, so that what matched long fails late. */
function hostileText(random: Random, pieces: readonly string[], longest: number): string {
  const pick = () => pieces[random(pieces.length)] ?? "";
  const unit = Array.from({ length: 1 + random(3) }, pick).join("");
  // Most are short; one of sixteen is as long as may be.
  const length = random(16) === 0 ? longest : 1 + random(Math.min(longest, 2000));
  return (pick() + unit.repeat(Math.ceil(length / Math.max(1, unit.length)))).slice(0, length - 1) + pick().slice(0, 1);
}

/** Milliseconds of this thread's own CPU time: other processes of a busy machine do not count. */
function cpuMs(run: () => void): number {
  const before = threadCpuUsage();
  run();
  const { user, system } = threadCpuUsage(before);
  return (user + system) / 1000;
}

/** The longest that a task keeps the event loop from others, in milliseconds of this thread's own CPU time. */
async function longestTurn(task: () => Promise<void>): Promise<number> {
  let longest = 0;
  const state = { done: false };
  const working = task().finally(() => {
    state.done = true;
  });
  while (!state.done) {
    const before = threadCpuUsage();
    await setImmediate();
    const { user, system } = threadCpuUsage(before);
    longest = Math.max(longest, (user + system) / 1000);
  }
  await working;
  return longest;
}

function slowest(runs: number, seed: number, prepare: (random: Random) => () => void): { ms: number; at: number } {
  const random = randomOf(seed);
  let worst = { ms: 0, at: -1 };
  for (let at = 0; at < runs; at++) {
    const run = prepare(random);
    let ms = cpuMs(run);
    // Compiling and collecting garbage may fall into any run; what is slow by itself is slow again.
    if (ms > BLOCKED_MS) ms = Math.min(ms, cpuMs(run));
    if (ms > worst.ms) worst = { ms, at };
  }
  return worst;
}

const TEXTS = [
  ...Array.from("?:/@.=-_\"'\\ &;,{}[]\n\t"),
  ...Array.from("aA0Z"),
  "eyJ",
  "-eyJabcdefgh",
  ".eyJabcdefgh.",
  "://",
  "a.b.",
  "redis://u:",
  "password",
  "secret_access_key",
  'sealed":"',
  '\\\\\\"',
  "AKIA",
  "X-Amz-",
  "X-Amz-Signature=",
  "AWS4-",
  "?sig",
  "ü",
  "😀",
  "\u2028",
];
const GLOBS = [
  ...Array.from("*?[]{}(),!-^\\/.+@|ab"),
  "**",
  "*a",
  "?*",
  "**/",
  "[!a]",
  "[a-",
  "{a,b}",
  "@(",
  "a".repeat(20),
];

describe("10,000 hostile inputs never hold up the event loop:", () => {
  test("texts that are redacted, of a page of the dashboard", { timeout: 240_000 }, () => {
    const worst = slowest(4000, 1, (random) => {
      const text = hostileText(random, TEXTS, 200_000);
      return () => void redactText(text);
    });
    expect(worst.ms).toBeLessThan(BLOCKED_MS);
  });

  test("jobs that are shown, whatever lies in Redis", { timeout: 240_000 }, () => {
    const worst = slowest(1000, 2, (random) => {
      const text = hostileText(random, TEXTS, 100_000);
      const data = { bucket: "in", prefix: text, object: { bucket: text, key: text }, list: [text, { [text]: text }] };
      const nested: unknown = JSON.parse("[".repeat(5000) + "]".repeat(5000));
      return () => void [redact(data), redact(nested), subjectOf(data), errorOf(null, text)];
    });
    expect(worst.ms).toBeLessThan(BLOCKED_MS);
  });

  test("filters of batches, on keys as long as they may be", { timeout: 240_000 }, () => {
    const worst = slowest(2500, 3, (random) => {
      const patterns = Array.from({ length: 1 + random(4) }, () => hostileText(random, GLOBS, 1024));
      const key = hostileText(random, [...Array.from("ab/.-"), "aa", "ü"], 1024);
      const spec = BatchSpec.safeParse({
        operation: "delete",
        source: { bucket: "in-1" },
        filter: { include: patterns, exclude: patterns },
      });
      return () => {
        if (spec.success) createFilter(spec.data.filter)?.matchesKey(key);
      };
    });
    expect(worst.ms).toBeLessThan(BLOCKED_MS);
  });

  test("patterns of buckets", { timeout: 240_000 }, () => {
    const worst = slowest(1000, 4, (random) => {
      const pattern = hostileText(
        random,
        GLOBS.filter((piece) => /^[*?[\]{},.ab-]+$/.test(piece)),
        255,
      );
      const bucket = hostileText(random, Array.from("ab.-"), 255);
      return () => {
        try {
          bucketPattern(pattern)(bucket);
        } catch {
          // no pattern: refused, and in time
        }
      };
    });
    expect(worst.ms).toBeLessThan(BLOCKED_MS);
  });

  test("what a store says of an error", { timeout: 240_000 }, () => {
    const worst = slowest(1000, 5, (random) => {
      const message = hostileText(random, TEXTS, 200_000);
      const thrown = Object.assign(new Error(message), { $metadata: { httpStatusCode: 400 } });
      return () => void toActivityError(thrown, { operation: "GetObject", bucket: "in", key: "a" });
    });
    expect(worst.ms).toBeLessThan(BLOCKED_MS);
  });

  test("input of every activity", { timeout: 240_000 }, () => {
    const worst = slowest(500, 6, (random) => {
      const text = hostileText(random, TEXTS, 100_000);
      const object = { bucket: text, key: text, versionId: text };
      const metadata = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`${text}${n}`, text]));
      const input = { ...object, object, prefix: text, ifMatch: text, document: { id: text, name: text }, metadata };
      return () => {
        for (const name of activityNames) contracts[name].input.safeParse(input);
        BatchSpec.safeParse({
          operation: "copy",
          source: { items: [object] },
          filter: { include: [text] },
          label: text,
        });
      };
    });
    expect(worst.ms).toBeLessThan(BLOCKED_MS);
  });

  test("what is logged, searched, asked in headers, and answered by stores", { timeout: 240_000 }, () => {
    const marks = [
      ...TEXTS,
      "<",
      "</",
      "<Contents>",
      "<ETag>",
      "<CopyObjectResult>",
      "<?xml ",
      "/..",
      "%2f",
      "::",
      "bearer ",
    ];
    const worst = slowest(600, 7, (random) => {
      const text = hostileText(random, marks, 64 * 1024);
      const error = Object.assign(new Error(text, { cause: new Error(text) }), { code: text });
      return () =>
        void [
          errorForLog(error),
          needlesOf(text),
          copyResultEtag(text),
          parseListing(`<ListBucketResult>${text}`),
          parseListing(text),
          BasePath.safeParse(text),
          withoutBase(text, "/ops"),
          clientOf(text),
          keyProblem(text),
          oneLine(text),
        ];
    });
    expect(worst.ms).toBeLessThan(BLOCKED_MS);
  });

  test("lines of manifests, and rows of reports", { timeout: 240_000 }, async () => {
    const random = randomOf(8);
    let worst = 0;
    for (let run = 0; run < 4; run++) {
      const pieces = [...TEXTS, '""', ",", ",,", "[", '{"', '"k":0,', '"bucket":"in",'];
      const lines = Array.from({ length: 100 }, (_, number) => ({
        number,
        text: hostileText(random, pieces, 64 * 1024).replaceAll("\n", " "),
      }));
      const format = run % 2 === 0 ? "csv" : "ndjson";
      const rows = lines
        .slice(0, 20)
        .map(({ text }) => ({ bucket: "in", key: text, status: "failed", message: text }) as const);
      const read = async () => {
        await parseManifestLines(lines, { format });
        for await (const line of csvLines(Readable.from(rows))) expect(line).not.toMatch(/(?:^|,)"[=+@-]/);
      };
      const ms = await longestTurn(read);
      worst = Math.max(worst, ms > BLOCKED_MS ? Math.min(ms, await longestTurn(read)) : ms);
    }
    expect(worst).toBeLessThan(BLOCKED_MS);
  });
});
