import { checkpoint } from "./checkpoint.ts";
import { rest } from "./retry.ts";
import type { ChunkWork } from "./work.ts";

/** How often what is known is written down while objects are in work, in ms: what a crash costs, and what `progress` shows. */
const CHECKPOINT_MS = 1000;

/**
 * Writes down what is known while a task is under way, and once it has ended no more.
 *
 * @param save what is done each second; a checkpoint where it is nothing else
 * @throws what the task threw, or `save`, which ends the task
 */
export async function keepWhile(
  work: ChunkWork,
  task: () => Promise<void>,
  save: (work: ChunkWork) => Promise<unknown> = checkpoint,
): Promise<void> {
  const done = new AbortController();
  let failure: { readonly error: unknown } | undefined;
  const keeper = keep(work, save, done.signal).catch((error: unknown) => {
    failure = { error };
    work.fatal ??= error;
  });
  try {
    await task();
  } finally {
    done.abort();
    await keeper;
  }
  if (failure !== undefined) {
    work.fatal = undefined;
    throw failure.error;
  }
}

async function keep(work: ChunkWork, save: (work: ChunkWork) => Promise<unknown>, done: AbortSignal): Promise<void> {
  while (await rest(CHECKPOINT_MS, AbortSignal.any([done, work.signal]))) await save(work);
}
