import type { FaultOptions, Operation } from "../../../sandbox/index.ts";

type When = "before" | "after";

/** What goes wrong, at one operation of a move. */
export type Trouble =
  | { readonly kind: "fault"; readonly name: string; readonly fault: Omit<FaultOptions, "operation" | "bucket"> }
  /** The worker dies; another one gets the job. */
  | { readonly kind: "kill"; readonly name: string; readonly when: When }
  /** The lock gets lost: the job runs a second time while the first run goes on. */
  | { readonly kind: "again"; readonly name: string; readonly when: When }
  | { readonly kind: "overwrite"; readonly name: string; readonly when: When };

/** Within one store by CopyObject; within one store by GET and PUT, across profiles; to another store. */
export type Route = "copy" | "stream" | "across";

export type MoveCase = {
  readonly name: string;
  readonly operation: Operation;
  /** Which end of the move the operation is meant at; a matter of the route `across` alone. */
  readonly at: "source" | "destination";
  readonly trouble: Trouble;
  readonly versioned: boolean;
  readonly multipart: boolean;
  readonly route: Route;
  /** Whether the stores enforce conditions on copies and deletes. */
  readonly enforcing: boolean;
};

const fault = (name: string, options: Omit<FaultOptions, "operation" | "bucket">): Trouble => ({
  kind: "fault",
  name,
  fault: options,
});

const TROUBLES: readonly Trouble[] = [
  fault("status 500", { kind: "status", status: 500, times: 2 }),
  fault("status 403", { kind: "status", status: 403, code: "AccessDenied" }),
  fault("SlowDown", { kind: "slow-down", times: 3 }),
  fault("reset before the effect", { kind: "reset", times: 2 }),
  fault("reset after the effect", { kind: "reset-after", times: 1 }),
  fault("resets after the effect, four times", { kind: "reset-after", times: 4 }),
  fault("stall before the effect", { kind: "stall", times: 1 }),
  fault("stall after the effect", { kind: "stall", after: true, times: 1 }),
  fault("200 with an error body", { kind: "error-in-200", times: 2 }),
  fault("200 with an error body, for ever", { kind: "error-in-200" }),
  fault("200 with an error body after the effect", { kind: "error-in-200", after: true, times: 1 }),
  fault("empty 200", { kind: "empty-200", times: 2 }),
  fault("empty 200 after the effect", { kind: "empty-200", after: true, times: 1 }),
  fault("a web page with 200", { kind: "html-200", times: 2 }),
  fault("a truncated answer", { kind: "truncate", times: 2 }),
  { kind: "overwrite", name: "source overwritten just before", when: "before" },
  { kind: "overwrite", name: "source overwritten just after", when: "after" },
  { kind: "kill", name: "kill -9 just before", when: "before" },
  { kind: "kill", name: "kill -9 just after", when: "after" },
  { kind: "again", name: "delivered again just before", when: "before" },
  { kind: "again", name: "delivered again just after", when: "after" },
];

type Way = {
  readonly route: Route;
  readonly multipart: boolean;
  readonly steps: Partial<Record<End, readonly Operation[]>>;
};
type End = MoveCase["at"];

const WAYS: readonly Way[] = [
  { route: "copy", multipart: false, steps: { source: ["HeadObject", "CopyObject", "DeleteObject"] } },
  {
    route: "copy",
    multipart: true,
    steps: {
      source: [
        "HeadObject",
        "GetObjectTagging",
        "CreateMultipartUpload",
        "UploadPartCopy",
        "CompleteMultipartUpload",
        "DeleteObject",
      ],
    },
  },
  {
    route: "stream",
    multipart: false,
    steps: { source: ["HeadObject", "GetObject", "GetObjectTagging", "PutObject", "DeleteObject"] },
  },
  {
    route: "stream",
    multipart: true,
    steps: {
      source: [
        "HeadObject",
        "GetObject",
        "CreateMultipartUpload",
        "UploadPart",
        "CompleteMultipartUpload",
        "DeleteObject",
      ],
    },
  },
  {
    route: "across",
    multipart: false,
    steps: {
      source: ["HeadObject", "GetObject", "GetObjectTagging", "DeleteObject"],
      destination: ["HeadBucket", "PutObject", "HeadObject"],
    },
  },
  {
    route: "across",
    multipart: true,
    steps: {
      source: ["GetObject", "DeleteObject"],
      destination: ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "HeadObject"],
    },
  },
];

const BOTH = [true, false];

/**
 * Every step x trouble x (plain, versioned bucket) x (stores that enforce conditions, stores that ignore them), for each way to move.
 * Between stores it makes no difference to the destination whether the source is versioned, so there only plain buckets are taken.
 */
export function moveCases(): readonly MoveCase[] {
  return WAYS.flatMap(({ route, multipart, steps }) =>
    Object.entries(steps).flatMap(([at, operations]) =>
      operations.flatMap((operation) =>
        TROUBLES.flatMap((trouble) =>
          (route === "across" ? [false] : BOTH).flatMap((versioned) =>
            BOTH.map((enforcing): MoveCase => {
              const one = { operation, at: at as End, trouble, versioned, multipart, route, enforcing }; // a key of `steps`
              return { ...one, name: nameOf(one) };
            }),
          ),
        ),
      ),
    ),
  );
}

function nameOf({ operation, at, trouble, versioned, multipart, route, enforcing }: Omit<MoveCase, "name">): string {
  const where = [
    `${route} ${multipart ? "multipart" : "single"}`,
    ...(route === "across" ? [`at the ${at}`] : [versioned ? "versioned" : "plain"]),
    enforcing ? "enforcing" : "ignoring conditions",
  ];
  return `${operation}: ${trouble.name} (${where.join(", ")})`;
}

/**
 * A store that ignores conditions deletes whatever is there when the request arrives: nobody can close the window between
 * our look and its delete. Versioned buckets keep the content even so.
 */
export const cannotBeSafe = ({ operation, trouble, enforcing, versioned }: MoveCase): boolean =>
  !enforcing && !versioned && operation === "DeleteObject" && trouble.kind === "overwrite" && trouble.when === "before";
