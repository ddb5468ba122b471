import { runLanes } from "../../run/lanes.ts";
import { patiently } from "../../run/patience.ts";
import { type ChunkWork, destinationKeyAt, pinAt } from "../../run/work.ts";

/** Time has passed since an earlier delivery proved its copies: no source is deleted before they are seen again. */
export async function proveInherited(work: ChunkWork): Promise<void> {
  const { outcomes, destination, spec, signal, control } = work;
  await runLanes([...outcomes.inherited], work.concurrency, async (index) => {
    const pin = pinAt(work, index);
    const etag = outcomes.etags[index];
    const verified = outcomes.verifiedAt(index);
    const target = { bucket: spec.destination?.bucket ?? "", key: destinationKeyAt(work, index) ?? "" };
    if (control.halted !== undefined) return false;
    if (pin === undefined || etag === undefined || verified === undefined) {
      outcomes.reopen(index);
      return true;
    }
    const ours = { ...target, etag, size: pin.size, verified };
    const proof = await patiently(() => destination.proves({ source: pin, ...target, ours }, { signal }), signal);
    if (proof === undefined) outcomes.reopen(index);
    else outcomes.inherited.delete(index);
    return true;
  });
}
