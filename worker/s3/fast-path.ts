import type { ObjectRef } from "../../jobs/entities.ts";
import type { Headers } from "./object-facts.ts";
import type { Call } from "./s3.ts";
import type { Store } from "./store.ts";

/** What became of a fast request: `done`; `refused` before any effect; or `unknown`, where the effect may have happened. */
export type FastAnswer = {
  readonly outcome: "done";
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
};
export type FastPath = {
  readonly head: (object: ObjectRef, headers: Record<string, string>, call: Call) => Promise<FastAnswer | undefined>;
  readonly close: () => Promise<void>;
};
export function createFastPath(
  _: Pick<Store, "connection" | "settings" | "credentials" | "regions" | "clients">,
): FastPath | undefined {
  return undefined;
}
