import type { FaultOptions, Operation } from "../../sandbox/index.ts";

/** What goes wrong, at one operation of a move. */
export type Trouble =
  | { readonly kind: "fault"; readonly name: string; readonly fault: Omit<FaultOptions, "operation" | "bucket"> }
  | { readonly kind: "kill"; readonly name: string; readonly when: "before" | "after" }
  | { readonly kind: "overwrite"; readonly name: string; readonly when: "before" | "after" };

export type MoveCase = {
  readonly name: string;
  readonly operation: Operation;
  readonly trouble: Trouble;
  readonly versioned: boolean;
  readonly multipart: boolean;
  /** Within one store by CopyObject, or across profiles by GET and PUT. */
  readonly route: "copy" | "stream";
  /** Whether the store enforces conditions on copies and deletes. */
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
];

const STEPS: Readonly<Record<string, readonly Operation[]>> = {
  "copy single": ["HeadObject", "CopyObject", "DeleteObject"],
  "copy multipart": [
    "HeadObject",
    "GetObjectTagging",
    "CreateMultipartUpload",
    "UploadPartCopy",
    "CompleteMultipartUpload",
    "DeleteObject",
  ],
  "stream single": ["HeadObject", "GetObject", "GetObjectTagging", "PutObject", "DeleteObject"],
  "stream multipart": [
    "HeadObject",
    "GetObject",
    "CreateMultipartUpload",
    "UploadPart",
    "CompleteMultipartUpload",
    "DeleteObject",
  ],
};

const BOTH = [true, false];

/** Every step x trouble x (plain, versioned bucket) x (store that enforces conditions, store that ignores them), for each way to move. */
export function moveCases(): readonly MoveCase[] {
  return Object.entries(STEPS).flatMap(([way, operations]) => {
    const route = way.startsWith("copy") ? ("copy" as const) : ("stream" as const);
    const multipart = way.endsWith("multipart");
    return operations.flatMap((operation) =>
      TROUBLES.flatMap((trouble) =>
        BOTH.flatMap((versioned) =>
          BOTH.map((enforcing) => {
            const where = `${way}, ${versioned ? "versioned" : "plain"}, ${enforcing ? "enforcing" : "ignoring conditions"}`;
            const name = `${operation}: ${trouble.name} (${where})`;
            return { name, operation, trouble, versioned, multipart, route, enforcing };
          }),
        ),
      ),
    );
  });
}

/**
 * A store that ignores conditions deletes whatever is there when the request arrives: nobody can close the window between
 * our look and its delete. Versioned buckets keep the content even so.
 */
export const cannotBeSafe = ({ operation, trouble, enforcing, versioned }: MoveCase): boolean =>
  !enforcing && !versioned && operation === "DeleteObject" && trouble.kind === "overwrite" && trouble.when === "before";
