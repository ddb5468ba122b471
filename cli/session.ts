import type { Producer } from "../producer/index.ts";
import type { Environment } from "./environment.ts";
import { withProducer } from "./open-producer.ts";
import { stopSignal } from "./stop-signal.ts";
import { EXIT } from "./usage-exit.ts";

/** What a command works with. */
export type Session = { readonly producer: Producer; readonly signal: AbortSignal; readonly environment: Environment };

/** Runs a command's work with a producer. Ctrl-C ends it with 130. */
export async function session(environment: Environment, work: (session: Session) => Promise<void>): Promise<void> {
  using stop = stopSignal();
  const { signal } = stop;
  try {
    await withProducer(environment, (producer) => work({ producer, signal, environment }));
  } catch (error) {
    if (!signal.aborted) throw error;
    process.exitCode = EXIT.interrupted;
  }
}
