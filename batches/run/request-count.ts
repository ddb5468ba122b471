import type { RequestsSent } from "../state/steer.ts";

/** Counts the requests that one delivery sends, each as it goes out, repeats included. */
export type RequestCount = {
  /** Told the SDK's name of the operation. */
  readonly sent: (operation: string) => void;
  /** Those that were not taken before. */
  readonly take: () => RequestsSent;
};

const NONE: RequestsSent = { list: 0, head: 0, copy: 0, delete: 0 };

export function createRequestCount(): RequestCount {
  const counted: Record<keyof RequestsSent, number> = { ...NONE };
  return {
    sent(operation) {
      counted[kindOf(operation)]++;
    },
    take() {
      const taken = { ...counted };
      Object.assign(counted, NONE);
      return taken;
    },
  };
}

/** What reads content or writes is part of a copy; what only looks counts as a HEAD. */
function kindOf(operation: string): keyof RequestsSent {
  if (operation === "CopyObject") return "copy";
  if (operation === "DeleteObjects" || operation === "DeleteObject") return "delete";
  if (operation.startsWith("List")) return "list";
  return operation.startsWith("Head") || (operation.startsWith("Get") && operation !== "GetObject") ? "head" : "copy";
}
