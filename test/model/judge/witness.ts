import type { Generation, Place } from "../generation.ts";

/** By what other content. */
export type Overwrite = { readonly payload: string };

/** What lay at a place when a run looked, and after how many other events. */
export type Look = { readonly order: number; readonly etag: string | undefined; readonly modified: number };

/** A request on its way. */
export type Sent = {
  readonly by: string;
  /** After how many other events it was sent. */
  readonly at: number;
  readonly operation: string;
  /** By place: the look that the run had just before it sent this, where nothing else of it came in between. */
  readonly covers: ReadonlyMap<string, Look | undefined>;
  /** How often Redis had gone back in time by then. */
  readonly epoch: number;
  /** What it saw itself. */
  readonly looks: Map<string, Look>;
};

/** Told of everything that is written or removed for good, when it happens. */
export type Witness = {
  /** A run sends a request that changes something at these places. */
  sends(by: string, operation: string, places: readonly Place[]): Sent;
  /** What happens in `effect` is this request's. */
  during<Result>(sent: Sent, effect: () => Result): Result;
  /** Its answer arrived: only now the run knows what it saw. */
  heard(sent: Sent): void;
  wrote(place: Place, made: Generation): void;
  destroyed(place: Place, lost: Generation, by: string, how: "delete" | Overwrite): void;
  /** What lies there is read, by the request that takes effect just now. */
  looked(place: Place, found: Generation | undefined): void;
};
