import { ERROR_GROUPS } from "../model/error-codes.ts";
import type { ErrorCodeEntry } from "../model/error-codes/entry.ts";

const TITLES = {
  jobs: ["Jobs, copies and moves", "What was asked, how an attempt ended, and what becomes of copies and moves."],
  batches: ["Batches", "Of batches as a whole, and of single objects in their reports."],
  documents: ["Documents", "Of the stores that hold content outside S3."],
  service: ["Configuration, Redis, dashboard and HTTP API", "Of the processes themselves."],
  store: [
    "Stores",
    "What the S3 store answered, or the way to it. A store may send codes that are not listed: they are passed on as they are.",
  ],
} as const;

/** docs/errors.md, made from the catalogue of errors. */
export function errorsPage(): string {
  const groups = Object.entries(ERROR_GROUPS).map(([name, codes]) => {
    const [title, about] = TITLES[name as keyof typeof TITLES]; // the keys of both are the same names
    return [
      `## ${title}`,
      "",
      about,
      "",
      ...Object.entries(codes).flatMap(([code, entry]) => section(code, entry)),
    ].join("\n");
  });
  return [
    "# Errors",
    "",
    "Every failure carries a `code`, a `message` that names the thing and what was expected, and `retryable`. This page has every code that",
    "Bucketline knows; `npm run errors` makes it from `model/error-codes/`.",
    "",
    ...groups,
  ].join("\n");
}

/** A page for one error, for the site of the docs. */
export function errorPage(
  group: string,
  code: string,
  { retryable, httpStatus, meaning, remedy }: ErrorCodeEntry,
): string {
  const [title] = TITLES[group as keyof typeof TITLES]; // the keys of both are the same names
  const again = {
    true: "Yes: the same call may succeed later without anybody changing anything.",
    false: "No: the same call fails again until something is changed.",
    depends: "It depends; the error's own `retryable` says.",
  }[String(retryable)];
  return [
    `# ${code}`,
    "",
    meaning,
    "",
    "## What to do",
    "",
    remedy,
    "",
    "## As a program sees it",
    "",
    "| | |",
    "|---|---|",
    `| \`error.code\` | \`"${code}"\` |`,
    `| retryable | ${again} |`,
    ...(httpStatus === undefined ? [] : [`| HTTP status | ${httpStatus} |`]),
    `| among | [${title}](../docs/errors.md) |`,
    "",
    "Every error carries a `code`, a `message` that names the thing and what was expected, and `retryable`: [all errors](../docs/errors.md).",
    "",
  ].join("\n");
}

function section(code: string, { retryable, httpStatus, meaning, remedy }: ErrorCodeEntry): string[] {
  const again = { true: "yes", false: "no", depends: "depends; the error says" }[String(retryable)];
  const status = httpStatus === undefined ? "" : ` · HTTP ${httpStatus}`;
  return [`### ${code}`, "", `Retryable: ${again}${status}`, "", meaning, "", `**What to do:** ${remedy}`, ""];
}
