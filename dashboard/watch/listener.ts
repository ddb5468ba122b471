import type { FastifyReply } from "fastify";
import { textFor, type Told, type Topic } from "./event-text.ts";

/** A session can end while its stream is open. */
export const CHECK_EVERY_MS = 10_000;
/** A reader who does not keep up misses a tick rather than fill our memory. */
const MAX_BUFFERED_BYTES = 256 * 1024;

type ListenerOptions = {
  readonly reply: FastifyReply;
  readonly topics: readonly Topic[];
  readonly stillAllowed: () => Promise<boolean>;
  /** Called when it is there no more; it may be called again. */
  readonly onLeave: () => void;
};

/** One stream that is open, and what its reader was told. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #told: Told = new Map();
  #isHere = true;
  #isSending = false;
  #checkedAt = performance.now();

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  /** Its reader has left, or has to. */
  leave(): void {
    this.#isHere = false;
    this.#options.onLeave();
  }

  /** Ends the stream with a last word. */
  end(last: string): void {
    this.leave();
    this.#options.reply.raw.end(last);
  }

  /** Tells what there is to say by now, unless it is still being told, or does not keep up. */
  async tell(): Promise<void> {
    if (this.#isSending || this.#options.reply.raw.writableLength > MAX_BUFFERED_BYTES) return;
    this.#isSending = true;
    try {
      if (!(await this.#isAllowed())) this.end("event: end\ndata: {}\n\n");
      // So that silence means that the connection is dead.
      else if (!(await this.#tellTopics())) this.#write("event: tick\ndata: {}\n\n");
    } catch {
      // Redis is away: the reader is told so, and sees the figures again when it is back.
      this.#write("event: trouble\ndata: {}\n\n");
    } finally {
      this.#isSending = false;
    }
  }

  async #isAllowed(): Promise<boolean> {
    if (performance.now() - this.#checkedAt < CHECK_EVERY_MS) return true;
    this.#checkedAt = performance.now();
    return this.#options.stillAllowed();
  }

  /** Whether there was anything to say. */
  async #tellTopics(): Promise<boolean> {
    let said = false;
    for (const topic of this.#options.topics) {
      const text = textFor(this.#told, topic, await topic.read());
      if (text === undefined || !this.#isHere) continue;
      this.#write(text);
      said = true;
    }
    return said;
  }

  #write(text: string): void {
    if (this.#isHere) this.#options.reply.raw.write(text);
  }
}
