import { connect as connectPlain, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { type About, toActivityError } from "../../error-mapping.ts";
import { type Head, parseHead } from "./head.ts";
import { incomplete, silent } from "./trouble.ts";

/** Bytes that are received together before they are handed on. */
const BLOCK = 256 * 1024;
/** One is with the reader, one is full and waits for its turn, and one is there to be filled. */
const BLOCKS = 3;

export type Asked = {
  /** Request line and headers, with the empty line behind them. */
  readonly head: string;
  readonly about: About;
  readonly headersTimeoutMs: number;
  /** How long the store may keep a reader waiting for a byte. */
  readonly idleTimeoutMs: number;
  readonly signal: AbortSignal;
};

/** A request under way. */
type Exchange = Asked & {
  /** Called once with the answer's head, or with why there is none. */
  readonly answered: (head: Head | undefined, error?: unknown) => void;
  readonly onAbort: () => void;
  clock: NodeJS.Timeout;
  size: number;
  /** Bytes of the body that have not come; `undefined` before the head has. */
  left: number | undefined;
};

/**
 * A connection that receives bodies into memory that is used again and again. Node gives each 64 KiB of a socket memory of its own, and finding
 * and freeing that costs four times as much as receiving it. One request at a time.
 */
export class BodyConnection {
  readonly #socket: Socket;
  readonly #free: Buffer[] = Array.from({ length: BLOCKS }, () => Buffer.allocUnsafeSlow(BLOCK));
  /** Filled, for the reader. */
  readonly #full: Buffer[] = [];
  #block: Buffer = this.#free.pop() ?? Buffer.alloc(0); // one of the three
  /** Bytes of the block that came, and those among them that are none of the reader's. */
  #filled = 0;
  #skipped = 0;
  #exchange: Exchange | undefined;
  #wake: (() => void) | undefined;
  #failure: Error | undefined;
  /** Whether the last answer leaves it open. */
  #staysOpen = true;
  readonly #onClosed: () => void;

  /** @param onClosed called once it is closed, by whomever */
  constructor(origin: URL, connectTimeoutMs: number, onClosed: () => void) {
    this.#onClosed = onClosed;
    const { protocol, hostname, port } = origin;
    const host = hostname.replace(/^\[|\]$/g, "");
    const to = { host, noDelay: true, onread: { buffer: () => this.#room(), callback: (n: number) => this.#take(n) } };
    this.#socket =
      protocol === "https:"
        ? connectTls({ ...to, port: Number(port || 443), servername: isIP(host) ? "" : host })
        : connectPlain({ ...to, port: Number(port || 80) });
    const timer = setTimeout(() => this.destroy(tooLate()), connectTimeoutMs);
    const connected = protocol === "https:" ? "secureConnect" : "connect";
    this.#socket
      .once(connected, () => clearTimeout(timer))
      .on("error", (error) => this.destroy(error))
      .on("end", () => this.destroy())
      .on("close", () => {
        clearTimeout(timer);
        this.destroy();
      });
  }

  /** Good for another request. */
  get isUsable(): boolean {
    return this.#failure === undefined && this.#exchange === undefined && this.#staysOpen;
  }

  /** Nobody waits for it: it keeps no process alive. */
  rest(): void {
    this.#socket.unref();
  }

  /** Sends a request; resolves with the head of its answer, whose body is then read by {@link pieces}. */
  ask(asked: Asked): Promise<Head> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      this.#socket.ref();
      const onAbort = (): void => this.destroy(asError(asked.signal.reason));
      const clock = setTimeout(() => this.destroy(tooLate()), asked.headersTimeoutMs);
      const answered: Exchange["answered"] = (head, error) => (head === undefined ? reject(error) : resolve(head));
      this.#exchange = { ...asked, answered, onAbort, clock, size: 0, left: undefined };
      asked.signal.addEventListener("abort", onAbort, { once: true });
      if (asked.signal.aborted) onAbort();
      else this.#socket.write(asked.head, "latin1");
    });
  }

  /**
   * The body in its order, each piece only good until the next is asked for. What came before the store broke off is handed over before the error.
   * Whoever stops early closes the connection.
   */
  async *pieces(): AsyncGenerator<Buffer> {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    try {
      for (;;) {
        exchange.signal.throwIfAborted();
        const piece = this.#full.shift() ?? this.#remainder();
        if (piece !== undefined) {
          yield piece;
          this.#giveBack(piece);
        } else if (exchange.left === 0) break;
        else if (this.#failure !== undefined) throw this.#brokenOff(exchange);
        else await this.#more(exchange);
      }
    } finally {
      if (exchange.left !== 0 || this.#full.length > 0 || this.#free.length < BLOCKS - 1)
        this.destroy(new Error("the reader has let go"));
      this.#end(exchange);
    }
  }

  destroy(error: Error = new ClosedEarly("the store closed the connection")): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#socket.destroy();
    const exchange = this.#exchange;
    if (exchange?.left === undefined) {
      if (exchange !== undefined) this.#end(exchange);
      exchange?.answered(undefined, error);
    }
    this.#wake?.();
    this.#onClosed();
  }

  #end(exchange: Exchange): void {
    clearTimeout(exchange.clock);
    exchange.signal.removeEventListener("abort", exchange.onAbort);
    if (this.#exchange === exchange) this.#exchange = undefined;
  }

  /** Where the next bytes go to. */
  #room(): Buffer {
    return this.#block.subarray(this.#filled);
  }

  /** Bytes came; false where no more of them may for now. */
  #take(count: number): boolean {
    const exchange = this.#exchange;
    if (exchange === undefined || this.#failure !== undefined) {
      this.destroy(new Error("expected no bytes that nobody asked for"));
      return false;
    }
    this.#filled += count;
    if (exchange.left === undefined) return this.#takeHead(exchange);
    return this.#takeBody(exchange, count);
  }

  #takeHead(exchange: Exchange): boolean {
    let head: Head | undefined;
    try {
      head = parseHead(this.#block.subarray(0, this.#filled));
    } catch (error) {
      this.destroy(asError(error));
      return false;
    }
    if (head === undefined) return true;
    clearTimeout(exchange.clock);
    this.#staysOpen = head.staysOpen;
    this.#skipped = head.length;
    exchange.size = head.size;
    exchange.left = head.size;
    exchange.answered(head);
    return this.#takeBody(exchange, this.#filled - head.length);
  }

  #takeBody(exchange: Exchange, count: number): boolean {
    if (count > (exchange.left ?? 0)) {
      this.destroy(incomplete(exchange.about, exchange.size, "more"));
      return false;
    }
    exchange.left = (exchange.left ?? 0) - count;
    if (this.#wake !== undefined) exchange.clock.refresh();
    if (exchange.left > 0 && this.#filled < BLOCK) return true;
    const rest = this.#remainder();
    if (rest !== undefined) this.#full.push(rest);
    else this.#begin();
    this.#wake?.();
    // The last free one is filled only once another is free: what is read after a stop goes to the place that was told before it.
    return this.#free.length > 0;
  }

  /** What of the block the reader has not got, which is then his; another one takes its place. */
  #remainder(): Buffer | undefined {
    const exchange = this.#exchange;
    const isWhole = this.#filled === BLOCK || exchange?.left === 0 || this.#failure !== undefined;
    if (!isWhole || this.#filled === this.#skipped) return undefined;
    const piece = this.#block.subarray(this.#skipped, this.#filled);
    this.#block = this.#free.pop() ?? Buffer.alloc(0); // it stops before there is none
    this.#begin();
    return piece;
  }

  /** Only where bytes have come, or none will: Node asks where the next ones go to right after those, and never before. */
  #begin(): void {
    this.#filled = 0;
    this.#skipped = 0;
  }

  #giveBack(piece: Buffer): void {
    this.#free.push(Buffer.from(piece.buffer, 0, BLOCK));
    if (this.#failure === undefined) this.#socket.resume();
  }

  /** Waits for the store. Only then its clock runs, never while the store waits for a slow reader. */
  async #more(exchange: Exchange): Promise<void> {
    const came = Promise.withResolvers<void>();
    this.#wake = came.resolve;
    const { about, idleTimeoutMs } = exchange;
    exchange.clock = setTimeout(() => this.destroy(silent(about, idleTimeoutMs)), idleTimeoutMs);
    await came.promise;
    this.#wake = undefined;
    clearTimeout(exchange.clock);
  }

  #brokenOff({ about, size, left, signal }: Exchange): unknown {
    if (signal.aborted) return signal.reason;
    if (this.#failure instanceof ClosedEarly) return incomplete(about, size, String(size - (left ?? size)));
    return toActivityError(this.#failure, about);
  }
}

/** The store closed the connection and said nothing. */
class ClosedEarly extends Error {
  readonly code = "ECONNRESET";
}

function tooLate(): Error {
  return Object.assign(new Error("no answer in time"), { code: "ETIMEDOUT" });
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
