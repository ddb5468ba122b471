import { readSync } from "node:fs";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { ActivityError } from "../../model/activity-error.ts";
import { type Digest, type DigestKind, startDigest } from "../../model/content/digest.ts";

/*
 * Hashes files while they are written, on a thread of its own: the one that moves the bytes has no time for it. This file is both sides: what
 * a store calls, and the thread, which is started from here again.
 */

type Order =
  | { readonly id: number; readonly open: { readonly fd: number; readonly kinds: readonly DigestKind[] } }
  | { readonly id: number; readonly upTo: number }
  | { readonly id: number; readonly end: "digests" | "nothing" };
type Answer = { readonly id: number; readonly digests?: readonly string[]; readonly error?: string };

/** The digests of a file that grows from its beginning. */
export type FileHash = {
  /** Every byte before `end` is in the file now. */
  upTo(end: number): void;
  /** After the last byte. In the order that they were asked for, in hex. Rejects where the file cannot be read. */
  digests(): Promise<readonly string[]>;
  /** The thread touches the file no more; called before it is closed. */
  close(): Promise<void>;
};

const MARK = "bucketline hashes files here";
/** The thread is told of new bytes no more often than that. */
const STEP = 1024 ** 2;

type Thread = {
  readonly worker: Worker;
  readonly waiting: Map<number, (answer: Answer) => void>;
  /** Why it is no more. */
  failed?: string;
};

let running: Thread | undefined;
let lastId = 0;

/** Begins to hash; the file stays open until `close`. One thread serves all files, and is there from the first on. */
export function hashFile(fd: number, kinds: readonly DigestKind[]): FileHash {
  const thread = (running ??= startThread());
  const { worker, waiting } = thread;
  const id = (lastId += 1);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  const tell = (order: Order): void => worker.postMessage(order);
  const ask = (end: "digests" | "nothing"): Promise<Answer> =>
    new Promise((resolve) => {
      if (thread.failed !== undefined) return resolve({ id, error: thread.failed });
      waiting.set(id, resolve);
      // A thread that nobody waits for keeps no process alive.
      worker.ref();
      tell({ id, end });
    });
  let told = 0;
  let last = 0;
  let isOpen = true;
  tell({ id, open: { fd, kinds } });
  return {
    upTo(end) {
      last = end;
      if (end - told < STEP) return;
      told = end;
      tell({ id, upTo: end });
    },
    async digests() {
      tell({ id, upTo: last });
      const { digests, error = "the thread said nothing" } = await ask("digests");
      isOpen = false;
      if (digests === undefined) throw unread(error);
      return digests;
    },
    async close() {
      if (!isOpen) return;
      isOpen = false;
      await ask("nothing");
    },
  };
}

function unread(error: string): ActivityError {
  const sentence = `the file could not be hashed while it was written: ${error}`;
  return new ActivityError("DocumentStoreFailed", sentence, { retryable: true });
}

function startThread(): Thread {
  const waiting = new Map<number, (answer: Answer) => void>();
  const worker = new Worker(new URL(import.meta.url), {
    workerData: MARK,
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 },
  });
  const thread: Thread = { worker, waiting };
  const fail = (error: string): void => {
    if (running === thread) running = undefined;
    thread.failed ??= error;
    for (const [id, resolve] of waiting) resolve({ id, error });
    waiting.clear();
  };
  worker.on("message", (answer: Answer) => {
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
    if (waiting.size === 0) worker.unref();
  });
  worker.on("error", (error) => fail(String(error)));
  worker.on("exit", () => fail("its thread ended"));
  worker.unref();
  return thread;
}

type Task = {
  readonly fd: number;
  readonly digests: readonly Digest[];
  at: number;
  upTo: number;
  end?: "digests" | "nothing";
  error?: string;
};

/** The thread's side: reads each file behind its writer, a piece of each in turn. */
function serve(port: NonNullable<typeof parentPort>): void {
  const tasks = new Map<number, Task>();
  const buffer = Buffer.allocUnsafe(STEP);
  let isBusy = false;
  const turn = (): void => {
    isBusy = false;
    for (const [id, task] of tasks) {
      if (task.end !== "nothing") advance(task, buffer);
      const isDone = task.end === "nothing" || task.error !== undefined || task.at === task.upTo;
      if (!isDone) schedule();
      else if (task.end !== undefined) {
        tasks.delete(id);
        port.postMessage(answerOf(id, task));
      }
    }
  };
  const schedule = (): void => {
    if (!isBusy) setImmediate(turn);
    isBusy = true;
  };
  port.on("message", (order: Order) => {
    if ("open" in order) {
      const { fd, kinds } = order.open;
      tasks.set(order.id, { fd, digests: kinds.map((kind) => startDigest(kind)), at: 0, upTo: 0 });
      return;
    }
    const task = tasks.get(order.id);
    if (task === undefined) return port.postMessage({ id: order.id, error: "no such file" } satisfies Answer);
    if ("upTo" in order) task.upTo = order.upTo;
    else task.end = order.end;
    schedule();
  });
}

function advance(task: Task, buffer: Buffer): void {
  const wanted = Math.min(buffer.length, task.upTo - task.at);
  if (wanted === 0 || task.error !== undefined) return;
  try {
    const read = readSync(task.fd, buffer, 0, wanted, task.at);
    if (read === 0) throw new Error(`it ends after ${task.at} of ${task.upTo} bytes`);
    for (const digest of task.digests) digest.update(buffer.subarray(0, read));
    task.at += read;
  } catch (error) {
    task.error = String(error);
  }
}

function answerOf(id: number, { digests, error, end }: Task): Answer {
  if (error !== undefined) return { id, error };
  return { id, ...(end === "digests" && { digests: digests.map((digest) => digest.result()) }) };
}

if (!isMainThread && workerData === MARK && parentPort !== null) serve(parentPort);
