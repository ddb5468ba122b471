import type { Store } from "../store.ts";

/** The parts under way: at most as many as the profile says, and as memory allows beyond the first. */
export function createSending({ sending, uploads }: Store, partSize: number) {
  const running = new Set<Promise<void>>();
  let reserved = false;
  return {
    /** Begins to send, and returns once there is room for the next part. */
    async add(sendOne: () => Promise<void>, controller: AbortController): Promise<void> {
      const mine = reserved;
      const run = async (): Promise<void> => {
        try {
          await sendOne();
        } catch (error) {
          controller.abort(error);
        }
        if (mine) uploads.give(partSize);
      };
      const one = run().finally(() => running.delete(one));
      running.add(one);
      reserved = false;
      while (running.size > 0) {
        reserved = running.size < sending.concurrency && uploads.tryTake(partSize);
        if (reserved) return;
        await Promise.race(running);
      }
    },
    async settled(): Promise<void> {
      await Promise.all(running);
      if (reserved) uploads.give(partSize);
      reserved = false;
    },
  };
}
