/**
 * The least that CopyObject can cost in Node: sign with a cached key, send through undici on its lowest level, read the answer. No listing, no
 * conditions, no proof, no report, no Redis. It borrows the signing and sending of our own fast path, so that nothing cheaper is left out.
 */
import { Agent } from "undici";
import { fastRequest } from "../../s3/transport/fast-request.ts";
import { createSigner } from "../../s3/transport/sign.ts";
import type { CopyOrder } from "../lab/bare-loop.ts";
import { generatedKey } from "../lab/generated-key.ts";
import type { StoreAddress } from "../lab/open.ts";
import { serve } from "../lab/sibling.ts";

// Written by startBareLoop.
const store = JSON.parse(process.argv[2] ?? "{}") as StoreAddress;
const sign = createSigner();
const { origin, host } = new URL(store.endpoint);
const { signal } = new AbortController();

async function copyAll({ bucket, count, destination, prefix, concurrency }: CopyOrder): Promise<void> {
  const agent = new Agent({ connections: concurrency, pipelining: 1 });
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const key = generatedKey(next++);
      const path = `/${destination}/${prefix}${key}`;
      const signed = sign({
        method: "PUT",
        host,
        path,
        query: "",
        headers: { "x-amz-copy-source": `${bucket}/${key}` },
        region: store.region,
        credentials: store.credentials,
      });
      signed["content-length"] = "0";
      const request = {
        origin,
        path,
        method: "PUT",
        headers: signed,
        headersTimeout: 60_000,
        bodyTimeout: 60_000,
        maxBody: 65_536,
      } as const;
      const { status, body } = await fastRequest(agent, request, signal);
      if (status !== 200) throw new Error(`expected 200 to CopyObject, got ${status}: ${body}`);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  await agent.close();
}

// Sent by BareLoop.copy.
serve((order) => copyAll(order as CopyOrder));
