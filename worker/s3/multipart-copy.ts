import type { Call, CopyProof, CopyRequest } from "./s3.ts";
import type { Store } from "./store.ts";
export function multipartCopy(_store: Store, _request: CopyRequest, _call: Call): Promise<CopyProof> {
  return Promise.reject(new Error("not yet"));
}
