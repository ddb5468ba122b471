import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { agentProxy } from "../../credentials/proxy.ts";
import { toActivityError } from "../error-mapping.ts";
import type { Call } from "../interface.ts";
import { listBuckets } from "./buckets.ts";
import type { Store } from "../store.ts";

export type CallerIdentity = { readonly account?: string; readonly arn?: string };

/**
 * Whose credentials these are. AWS tells anyone who can sign; other stores have no such question, so there a listing of
 * buckets shows that the credentials work. https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
 */
export async function callerIdentity(store: Store, call: Call): Promise<CallerIdentity> {
  const { region, endpoint, stsEndpoint, proxy } = store.connection;
  if (endpoint !== undefined && stsEndpoint === undefined) {
    await listBuckets(store, {}, call).next();
    return {};
  }
  const { GetCallerIdentityCommand, STSClient } = await import("@aws-sdk/client-sts");
  const client = new STSClient({
    region,
    credentials: store.credentials.get,
    maxAttempts: 2,
    requestHandler: new NodeHttpHandler({
      httpAgent: new HttpAgent(agentProxy(proxy)),
      httpsAgent: new HttpsAgent(agentProxy(proxy)),
    }),
    ...(stsEndpoint !== undefined && { endpoint: stsEndpoint }),
  });
  try {
    const abortSignal = AbortSignal.any([call.signal, AbortSignal.timeout(store.settings.requestTimeoutMs)]);
    const { Account, Arn } = await client.send(new GetCallerIdentityCommand({}), { abortSignal });
    return { ...(Account !== undefined && { account: Account }), ...(Arn !== undefined && { arn: Arn }) };
  } catch (error) {
    call.signal.throwIfAborted();
    throw toActivityError(error, { operation: "GetCallerIdentity", store: stsEndpoint ?? "AWS STS" });
  } finally {
    client.destroy();
  }
}
