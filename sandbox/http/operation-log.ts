import type { IncomingHttpHeaders } from "node:http";
import type { Call } from "./call.ts";
import type { FaultKind } from "../behaviour/faults.ts";
import type { Operation } from "./operation.ts";

/** One call, as the sandbox saw it. */
export type LogEntry = {
  operation: Operation;
  bucket: string;
  key: string;
  /** The status of the answer; 0 when none was sent. */
  status: number;
  /** S3's error code, where the answer is one. */
  code?: string;
  /** Milliseconds since 1970. */
  at: number;
  query: ReadonlyMap<string, string>;
  /** The request's headers, lower case. */
  headers: IncomingHttpHeaders;
  accessKeyId: string;
  /** Bytes of the answer's body. */
  bytes: number;
  /** The fault that struck. */
  fault?: FaultKind;
};

/** The latest calls, and counts of all. */
export class OperationLog {
  readonly counts: Partial<Record<Operation, number>> = {};
  readonly #capacity: number;
  #entries: LogEntry[] = [];
  #start = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  record(
    call: Call,
    outcome: { status: number; code: string | undefined; bytes: number; fault: FaultKind | undefined },
  ): void {
    this.counts[call.operation] = (this.counts[call.operation] ?? 0) + 1;
    if (this.#capacity === 0) return;
    const { operation, bucket, key, query, headers, accessKeyId } = call;
    const entry: LogEntry = {
      operation,
      bucket,
      key,
      status: outcome.status,
      at: Date.now(),
      query,
      headers,
      accessKeyId,
      bytes: outcome.bytes,
    };
    if (outcome.code !== undefined) entry.code = outcome.code;
    if (outcome.fault !== undefined) entry.fault = outcome.fault;
    if (this.#entries.length < this.#capacity) this.#entries.push(entry);
    else this.#entries[this.#start++ % this.#capacity] = entry;
  }

  /** Oldest first. */
  get entries(): LogEntry[] {
    const cut = this.#start % this.#capacity || 0;
    return [...this.#entries.slice(cut), ...this.#entries.slice(0, cut)];
  }

  clear(): void {
    this.#entries = [];
    this.#start = 0;
    for (const operation of Object.keys(this.counts)) delete this.counts[operation as Operation]; // keys of this very record
  }
}
