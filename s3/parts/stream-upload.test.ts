import { expect, test } from "vitest";
import { call, connectionTo, content, errorOf, MIB, openS3 } from "../../test/open-s3.ts";
import { createS3 } from "../create-s3.ts";
import type { UploadMemory, UploadState } from "../s3.ts";

/** A memory as a job has it, in Redis there. */
function remember(): UploadMemory & { state: UploadState | undefined } {
  const memory = {
    state: undefined as UploadState | undefined,
    load: () => Promise.resolve(memory.state),
    save: async (state: UploadState) => void (memory.state = state),
    clear: async () => void (memory.state = undefined),
  };
  return memory;
}

const size = 11 * MIB;
const { bytes, stream } = content(size);

test.each(["put", "copy"] as const)(
  "a %s removes the upload that an earlier attempt left when its process died",
  async (way) => {
    const { sandbox, s3, pin } = await openS3({
      connection: { multipartThreshold: 5 * MIB },
      s3: { uploadPartSize: 5 * MIB },
    });
    const other = createS3(connectionTo(sandbox, { name: "other", multipartThreshold: 5 * MIB }), {
      uploadPartSize: 5 * MIB,
    });
    sandbox.put("in", "a", bytes);
    const upload = remember();
    const run = (): Promise<unknown> =>
      way === "put"
        ? other.put({ bucket: "out", key: "b", body: stream(), size, attributes: {}, upload }, call)
        : other.copyFrom(s3, { source: pin("in", "a"), bucket: "out", key: "b", upload }, call);
    // As a dead process does: it neither ends its upload nor takes it away.
    for (const operation of ["CompleteMultipartUpload", "AbortMultipartUpload"] as const)
      sandbox.fault({ operation, kind: "status", status: 403, code: "AccessDenied" });
    await errorOf(run());
    expect(sandbox.uploads()).toHaveLength(1);
    expect(upload.state).toBeDefined();
    sandbox.clearFaults();
    await run();
    expect(sandbox.bytes("out", "b")?.equals(bytes)).toBe(true);
    expect(sandbox.uploads()).toEqual([]);
    expect(upload.state).toBeUndefined();
    await other.close();
  },
);
