import { setTimeout as sleep } from "node:timers/promises";
import type { WorkerProcess } from "../../../cli/processes/worker.ts";
import { deliverAgain } from "./deliver-again.ts";
import { NEWER } from "./judge.ts";
import type { MoveCase } from "./cases.ts";
import type { Scene } from "./scene.ts";

/** How long the first run is held while the second one catches up; below the timeouts of the campaign's requests. */
const HELD_MS = 1500;

/** The trouble of a case, lying in wait. */
export type Planted = { readonly struck: () => boolean; readonly end: () => Promise<void> };

/** Puts the trouble of a case where its operation will meet it, and starts a worker of its own where it will kill one. */
export async function plant(scene: Scene, jobId: Promise<string>): Promise<Planted> {
  const { trouble } = scene.one;
  if (trouble.kind !== "fault") return await plantHook(scene, trouble, jobId);
  const { one, bucket } = scene;
  const fault = placeOf(scene).fault({ ...trouble.fault, operation: one.operation, bucket });
  return { struck: () => fault.hits > 0, end: async () => fault.remove() };
}

const placeOf = ({ one, stack, target }: Scene) => (one.at === "source" ? stack.sandbox : target);

type Hooked = Exclude<MoveCase["trouble"], { kind: "fault" }>;

async function plantHook(scene: Scene, trouble: Hooked, jobId: Promise<string>): Promise<Planted> {
  const { stack, one, bucket } = scene;
  const { kind, when } = trouble;
  const workers: WorkerProcess[] = kind === "kill" ? [await stack.startWorker()] : [];
  const caughtUp = Promise.withResolvers<void>();
  let calls = 0;
  let striking: Promise<void> | undefined;
  const strike = async (): Promise<void> => {
    if (kind === "overwrite") stack.sandbox.put(bucket, "source", NEWER);
    if (kind === "kill") {
      await workers[0]?.kill();
      await deliverAgain(stack, "move-object", await jobId);
      workers.push(await stack.startWorker());
    }
    if (kind === "again") {
      await deliverAgain(stack, "move-object", await jobId);
      await Promise.race([caughtUp.promise, sleep(HELD_MS, undefined, { ref: false })]);
    }
  };
  const remove = placeOf(scene)[when](one.operation, (call) => {
    if (call.bucket !== bucket) return undefined;
    calls++;
    if (calls > 1) return caughtUp.resolve();
    striking = strike();
    return striking;
  });
  return {
    struck: () => calls > 0,
    async end() {
      remove();
      await striking;
      await Promise.all(workers.map((worker) => worker.kill()));
    },
  };
}
