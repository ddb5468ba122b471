import type { Fault, FaultOptions, Operation } from "../../../sandbox/index.ts";
import { elapse, type Scene, type Trouble } from "./scene.ts";

/** Rare requests that carry many objects. */
const BULK: readonly Operation[] = ["ListObjectsV2", "DeleteObjects"];
/** One for each object, or part of one. */
const SINGLE: readonly Operation[] = [
  "CopyObject",
  "HeadObject",
  "GetObject",
  "GetObjectTagging",
  "PutObject",
  "DeleteObject",
  "UploadPart",
  "UploadPartCopy",
  "CreateMultipartUpload",
  "CompleteMultipartUpload",
];

/** For up to a second and a half the store answers half of all requests with SlowDown; then it rests for some seconds. */
export const storms: Trouble = async (scene, random) => {
  while (await elapse(random.between(2000, 5000), scene.over)) {
    const storm = [
      { kind: "slow-down", operation: [...SINGLE, ...BULK], probability: 0.5, seed: random.integer(1, 1e6) },
    ] as const;
    await during(scene, storm, random.between(300, 1500));
  }
};

/** Connections are reset, before and after the effect. */
export const resets: Trouble = async (scene, random) => {
  const seed = random.integer(1, 1e6);
  await during(scene, [
    { kind: "reset", operation: SINGLE, probability: 0.01, seed },
    { kind: "reset-after", operation: SINGLE, probability: 0.01, seed: seed + 1 },
    { kind: "reset", operation: BULK, probability: 0.15, seed: seed + 2 },
    { kind: "reset-after", operation: BULK, probability: 0.15, seed: seed + 3 },
  ]);
};

/** 5% of all requests meet an error or an answer that only looks like success. */
export const errors: Trouble = async (scene, random) => {
  const seed = random.integer(1, 1e6);
  const operation = [...SINGLE, ...BULK];
  await during(scene, [
    { kind: "status", operation, status: 500, probability: 0.025, seed },
    { kind: "error-in-200", operation, probability: 0.008, seed: seed + 1 },
    { kind: "error-in-200", operation, after: true, probability: 0.008, seed: seed + 2 },
    { kind: "empty-200", operation, after: true, probability: 0.004, seed: seed + 3 },
    { kind: "html-200", operation, probability: 0.003, seed: seed + 4 },
    { kind: "truncate", operation, probability: 0.002, seed: seed + 5 },
  ]);
};

/** Some answers never come, whether the request took effect or not. */
export const stalls: Trouble = async (scene, random) => {
  const seed = random.integer(1, 1e6);
  await during(scene, [
    { kind: "stall", operation: SINGLE, probability: 0.001, seed },
    { kind: "stall", operation: SINGLE, after: true, probability: 0.001, seed: seed + 1 },
    { kind: "stall", operation: BULK, probability: 0.03, seed: seed + 2 },
    { kind: "stall", operation: BULK, after: true, probability: 0.03, seed: seed + 3 },
  ]);
};

/** Plants faults for so long, or until the batch is over, and counts what they struck. */
async function during(
  { stack, figures, over }: Scene,
  faults: readonly FaultOptions[],
  ms = Number.MAX_SAFE_INTEGER,
): Promise<void> {
  const planted: Fault[] = faults.map((fault) => stack.sandbox.fault(fault));
  try {
    await elapse(Math.min(ms, 2 ** 31 - 1), over);
  } finally {
    for (const fault of planted) {
      fault.remove();
      figures.faults += fault.hits;
    }
  }
}
