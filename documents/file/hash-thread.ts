import { existsSync, readSync } from "node:fs";
import { isMainThread, MessageChannel, type MessagePort, parentPort, Worker, workerData } from "node:worker_threads";
import { ActivityError } from "../../model/activity-error.ts";
import { type Digest, type DigestKind, startDigest } from "../../model/content/digest.ts";
import { mayWait } from "./hash-turns.ts";

/*
 * Hashes files while they are written, on threads of their own: the one that moves the bytes has no time for it. Each digest of a file has
 * another thread, so that the slowest of them (MD5, at 650 MB/s) waits for no other. This file is both sides: what a store calls, and the
 * thread, which is started from here again. In an app's bundle there is no such file, and to start the bundle again would run the app twice:
 * there the hashing takes its turns on the thread that asks.
 */

type Opened = {
  readonly fd: number;
  readonly kind: DigestKind;
  /** Milliseconds that each digest of the file still needs for what is written, as each thread says of its own; shared by them. */
  readonly needed: Float64Array<SharedArrayBuffer>;
  /** Which of them is this one's. */
  readonly index: number;
};
type Order =
  | { readonly id: number; readonly open: Opened }
  | { readonly id: number; readonly upTo: number }
  | { readonly id: number; readonly end: "digest" | "nothing" };
type Answer = { readonly id: number; readonly digest?: string; readonly error?: string };

/** The digests of a file that grows from its beginning. */
export type FileHash = {
  /** Every byte before `end` is in the file now. */
  upTo(end: number): void;
  /** After the last byte. In the order that they were asked for, in hex. Rejects where the file cannot be read. */
  digests(): Promise<readonly string[]>;
  /** The threads touch the file no more; called before it is closed. */
  close(): Promise<void>;
};

const MARK = "bucketline hashes files here";
/** A thread is told of new bytes no more often than that. */
const STEP = 1024 ** 2;
/** Bytes that are read and hashed together: what was read is still in the processor's cache then. */
const PIECE = 256 * 1024;

type Thread = {
  readonly worker: Pick<Worker, "ref" | "unref"> & { postMessage(order: Order): void };
  readonly waiting: Map<number, (answer: Answer) => void>;
  /** Why it is no more. */
  failed?: string;
};

/** The first takes the first digest of each file, and so on. */
const running: (Thread | undefined)[] = [];
let lastId = 0;

/** Begins to hash; the file stays open until `close`. A thread for each digest serves all files, and is there from the first on. */
export function hashFile(fd: number, kinds: readonly DigestKind[]): FileHash {
  const needed = new Float64Array(new SharedArrayBuffer(kinds.length * Float64Array.BYTES_PER_ELEMENT));
  const hashes = kinds.map((kind, index) => hashOnce({ fd, kind, needed, index }));
  return {
    upTo(end) {
      for (const hash of hashes) hash.upTo(end);
    },
    digests: () => Promise.all(hashes.map((hash) => hash.digest())),
    async close() {
      await Promise.all(hashes.map((hash) => hash.close()));
    },
  };
}

function hashOnce(opened: Opened) {
  const thread = (running[opened.index] ??= startThread(opened.index));
  const { worker, waiting } = thread;
  const id = (lastId += 1);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  const tell = (order: Order): void => worker.postMessage(order);
  const ask = (end: "digest" | "nothing"): Promise<Answer> =>
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
  tell({ id, open: opened });
  return {
    upTo(end: number) {
      last = end;
      if (end - told < STEP) return;
      told = end;
      tell({ id, upTo: end });
    },
    async digest() {
      tell({ id, upTo: last });
      const { digest, error = "the thread said nothing" } = await ask("digest");
      isOpen = false;
      if (digest === undefined) throw unread(error);
      return digest;
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

function startThread(index: number): Thread {
  const waiting = new Map<number, (answer: Answer) => void>();
  const own = ownFile();
  const worker = own === undefined ? serveHere() : startWorker(own);
  const thread: Thread = { worker, waiting };
  const fail = (error: string): void => {
    if (running[index] === thread) running[index] = undefined;
    thread.failed ??= error;
    for (const [id, resolve] of waiting) resolve({ id, error });
    waiting.clear();
  };
  worker.on("message", (answer: Answer) => {
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
    if (waiting.size === 0) worker.unref();
  });
  if (worker instanceof Worker) {
    worker.on("error", (error) => fail(String(error)));
    worker.on("exit", () => fail("its thread ended"));
  }
  worker.unref();
  return thread;
}

/** This file, where it is one by itself: a bundler says another one, none, or one that is not there any more. */
function ownFile(): URL | undefined {
  if (!/\/documents\/file\/hash-thread\.[jt]s$/.test(import.meta.url)) return undefined;
  const url = new URL(import.meta.url);
  return existsSync(url) ? url : undefined;
}

function startWorker(own: URL): Worker {
  return new Worker(own, {
    workerData: MARK,
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 },
  });
}

function serveHere(): MessagePort {
  const { port1, port2 } = new MessageChannel();
  serve(port2);
  port2.unref();
  return port1;
}

type Task = Opened & {
  readonly digest: Digest;
  at: number;
  /** Milliseconds that it took to get there. */
  busy: number;
  upTo: number;
  end?: "digest" | "nothing";
  error?: string;
};

/** The thread's side: reads each file behind its writer, a piece of each in turn. Whoever may wait goes on when more was written, or all. */
function serve(port: MessagePort): void {
  const tasks = new Map<number, Task>();
  const buffer = Buffer.allocUnsafeSlow(PIECE);
  let isBusy = false;
  const turn = (): void => {
    isBusy = false;
    for (const [id, task] of tasks) {
      if (task.end === undefined && mayWait(task)) continue;
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
      tasks.set(order.id, { ...order.open, digest: startDigest(order.open.kind), at: 0, busy: 0, upTo: 0 });
      return;
    }
    const task = tasks.get(order.id);
    if (task === undefined) return port.postMessage({ id: order.id, error: "no such file" } satisfies Answer);
    if ("upTo" in order) task.upTo = order.upTo;
    else task.end = order.end;
    sayNeeded(task);
    schedule();
  });
}

function advance(task: Task, buffer: Buffer): void {
  const wanted = Math.min(buffer.length, task.upTo - task.at);
  if (wanted === 0 || task.error !== undefined) return;
  const started = performance.now();
  try {
    const read = readSync(task.fd, buffer, 0, wanted, task.at);
    if (read === 0) throw new Error(`it ends after ${task.at} of ${task.upTo} bytes`);
    task.digest.update(buffer.subarray(0, read));
    task.at += read;
    task.busy += performance.now() - started;
    sayNeeded(task);
  } catch (error) {
    task.error = String(error);
  }
}

/** For the digests of the same file, see {@link mayWait}. */
function sayNeeded({ needed, index, at, upTo, busy }: Task): void {
  needed[index] = at === 0 ? 0 : (upTo - at) * (busy / at);
}

function answerOf(id: number, { digest, error, end }: Task): Answer {
  if (error !== undefined) return { id, error };
  return { id, ...(end === "digest" && { digest: digest.result() }) };
}

if (!isMainThread && workerData === MARK && parentPort !== null) serve(parentPort);
