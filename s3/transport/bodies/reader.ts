import { type About, toActivityError } from "../../error-mapping.ts";
import type { Call } from "../../interface.ts";
import type { StoreBase } from "../../options.ts";
import type { Headers } from "../../requests/object-facts.ts";
import { report, signedRequest, throttleError } from "../fast-path.ts";
import { createFastTargets, type FastTarget } from "../fast-target.ts";
import { createSigner } from "../sign.ts";
import type { BodyConnection } from "./connection.ts";
import type { Head } from "./head.ts";
import { type BodyPool, createBodyPool } from "./pool.ts";

/**
 * GETs of large bodies without the SDK and Node's HTTP, into memory that is used again and again: a third of the CPU. Only what is expected is
 * taken; for anything else the caller asks again through the SDK, which raises the typed error.
 */
export type BodyReader = {
  /** `undefined` where it has to be the SDK. */
  get(request: BodyRequest, call: Call): Promise<ReadBody | undefined>;
  close(): void;
};

export type BodyRequest = {
  readonly bucket: string;
  readonly key: string;
  /** Not encoded. */
  readonly query: Readonly<Record<string, string | undefined>>;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly about: About;
  /** Told as it goes out. */
  readonly onSent?: StoreBase["onSent"] | undefined;
};

export type ReadBody = {
  readonly status: number;
  readonly headers: Headers;
  /** In order, each piece only good until the next is asked for. */
  readonly pieces: AsyncGenerator<Buffer>;
  /** Where it is not read. */
  drop(): void;
};

type Way = {
  readonly store: StoreBase;
  readonly pool: BodyPool;
  readonly sign: ReturnType<typeof createSigner>;
  readonly targets: ReturnType<typeof createFastTargets>;
};

/** `undefined` behind a proxy, which is the SDK's to pass. */
export function createBodyReader(store: StoreBase): BodyReader | undefined {
  if (store.connection.proxy !== undefined) return undefined;
  const pool = createBodyPool(store.settings);
  const way: Way = { store, pool, sign: createSigner(), targets: createFastTargets(store.clients) };
  return { get: (request, call) => get(way, request, call), close: () => pool.close() };
}

async function get(way: Way, request: BodyRequest, call: Call): Promise<ReadBody | undefined> {
  const { store, targets } = way;
  call.signal.throwIfAborted();
  const target = await targets(request.bucket, store.regions.get(request.bucket) ?? store.connection.region);
  if (target === undefined) return undefined;
  const started = performance.now();
  const told = { operation: "GetObject", bucket: request.bucket };
  try {
    const { connection, head } = await ask(way, request, target, call);
    const busy = await busyError(connection, head, { store: store.name, ...request.about });
    report(store, told, { started, status: head.status, throttled: busy !== undefined });
    if (busy !== undefined) {
      way.pool.giveBack(target.origin, connection);
      throw busy;
    }
    if (head.status === 200 || head.status === 206) return bodyOf(way, target, connection, head);
    connection.destroy();
    return undefined;
  } catch (error) {
    if (call.signal.aborted) throw call.signal.reason;
    const failure = toActivityError(error, { store: store.name, ...request.about });
    if (failure === error) throw failure;
    report(store, told, { started, throttled: false });
    // Who waited so long once should not have to wait again. Why else is for the SDK to say, when it meets the same.
    if (failure.code === "Timeout") throw failure;
    return undefined;
  }
}

/** A connection that was kept may be closed by now, which is no trouble: then another one. */
async function ask(
  way: Way,
  request: BodyRequest,
  target: FastTarget,
  { signal }: Call,
): Promise<{ readonly connection: BodyConnection; readonly head: Head }> {
  const { store, pool } = way;
  const { requestTimeoutMs: headersTimeoutMs, idleTimeoutMs } = store.settings;
  for (;;) {
    const { connection, isNew } = await pool.take(target.origin, signal);
    try {
      const head = await headOf(way, request, target);
      request.onSent?.("GetObject");
      const asked = { head, about: request.about, headersTimeoutMs, idleTimeoutMs, signal };
      return { connection, head: await connection.ask(asked) };
    } catch (error) {
      connection.destroy();
      const isStale = !isNew && error instanceof Error && "code" in error && STALE.has(String(error.code));
      if (!isStale || signal.aborted) throw error;
    }
  }
}

const STALE: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE"]);

/** The request as it goes out. */
async function headOf({ store, sign }: Way, request: BodyRequest, target: FastTarget): Promise<string> {
  const { key, query, headers } = request;
  const identity = store.credentials.peek() ?? (await store.credentials.get());
  const signed = signedRequest(store, sign, target, { method: "GET", key, query, headers, identity });
  const lines = Object.entries(signed.headers).map(([name, value]) => `${name}: ${value}`);
  // A line break in a header would begin another.
  if (lines.some((line) => !/^[\t\u0020-\u007e]*$/.test(line))) throw new Error("expected headers of plain characters");
  return `GET ${signed.path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`;
}

/** What a busy store says, which is raised at once: a second request is the last thing that it needs. */
async function busyError(connection: BodyConnection, head: Head, about: About): Promise<Error | undefined> {
  if (head.status !== 503 && head.status !== 429) return undefined;
  let body = "";
  for await (const piece of connection.pieces()) {
    body += piece.toString("utf8");
    if (body.length > MAX_ERROR) break;
  }
  return throttleError({ status: head.status, headers: head.headers, body }, about);
}

const MAX_ERROR = 64 * 1024;

function bodyOf(
  { pool }: Way,
  { origin }: FastTarget,
  connection: BodyConnection,
  { status, headers }: Head,
): ReadBody {
  async function* pieces(): AsyncGenerator<Buffer> {
    try {
      yield* connection.pieces();
    } finally {
      pool.giveBack(origin, connection);
    }
  }
  return { status, headers, pieces: pieces(), drop: () => connection.destroy() };
}
