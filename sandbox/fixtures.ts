import crypto, { createHmac } from "node:crypto";
import { request as httpRequest } from "node:http";
import { S3Client, S3ServiceException } from "@aws-sdk/client-s3";
import { expect, test as base } from "vitest";
import type { Sandbox } from "./interface.ts";
import { startSandbox } from "./start.ts";

/** What this room's tests start from: a sandbox with the bucket `docs`, and the SDK pointed at it. */
type Fixtures = {
  sandbox: Sandbox;
  s3: S3Client;
};

export const test = base.extend<Fixtures>({
  // oxlint-disable-next-line no-empty-pattern -- vitest reads the parameter to see what a fixture needs: nothing
  sandbox: async ({}, use) => {
    await using sandbox = await startSandbox();
    sandbox.createBucket("docs");
    await use(sandbox);
  },
  s3: async ({ sandbox }, use) => {
    const s3 = connect(sandbox);
    await use(s3);
    s3.destroy();
  },
});

/** An SDK client without retries, so that a test sees each answer. */
export function connect(sandbox: Sandbox, more: ConstructorParameters<typeof S3Client>[0] = {}): S3Client {
  return new S3Client({
    endpoint: sandbox.endpoint,
    region: sandbox.region,
    forcePathStyle: true,
    credentials: { ...sandbox.credentials },
    maxAttempts: 1,
    ...more,
  });
}

/** Expects a refusal by its code and status. */
export async function expectRefusal(
  work: Promise<unknown>,
  code: string,
  status?: number,
): Promise<S3ServiceException> {
  const error: unknown = await work.then(
    () => new Error(`expected ${code}, but the call succeeded`),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(S3ServiceException);
  // toBeInstanceOf has just said so.
  const refusal = error as S3ServiceException;
  expect({ name: refusal.name, status: refusal.$metadata.httpStatusCode }).toEqual({
    name: code,
    status: status ?? refusal.$metadata.httpStatusCode,
  });
  return refusal;
}

export type RawAnswer = {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
  text: string;
};

export type RawRequest = {
  method?: string;
  /** Sent as it is, nothing normalised; may hold a query. */
  path: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  /** Sign as this key; false sends no signature. Default: the sandbox's. */
  sign?: false | { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
  region?: string;
  service?: string;
  date?: Date;
};

/** One request by hand, for what the SDK cannot be brought to send. */
export async function raw(sandbox: Sandbox, options: RawRequest): Promise<RawAnswer> {
  const headers = signedHeaders(sandbox, options);
  const { promise, resolve, reject } = Promise.withResolvers<RawAnswer>();
  const outgoing = httpRequest(
    {
      host: "127.0.0.1",
      port: sandbox.port,
      method: options.method ?? "GET",
      path: options.path,
      headers,
      agent: false,
    },
    (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const body = Buffer.concat(chunks);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body, text: body.toString("utf8") });
      });
    },
  );
  outgoing.on("error", reject);
  // Written as bytes and before the end: otherwise Node sends headers as UTF-8, and changes Content-Disposition.
  if (options.body !== undefined) outgoing.write(Buffer.from(options.body));
  outgoing.end();
  return promise;
}

function signedHeaders(sandbox: Sandbox, options: RawRequest): Record<string, string> {
  const { sign = sandbox.credentials, region = sandbox.region, service = "s3", date = new Date() } = options;
  const headers: Record<string, string> = { host: `127.0.0.1:${sandbox.port}` };
  for (const [name, value] of Object.entries(options.headers ?? {})) headers[name.toLowerCase()] = value;
  if (options.body !== undefined && headers["transfer-encoding"] === undefined) {
    headers["content-length"] ??= String(Buffer.byteLength(options.body));
  }
  if (sign === false) return headers;
  const timestamp = date.toISOString().replace(/[-:]|\.\d+/g, "");
  headers["x-amz-date"] = timestamp;
  headers["x-amz-content-sha256"] ??= crypto.hash("sha256", options.body ?? "");
  if (sign.sessionToken !== undefined) headers["x-amz-security-token"] = sign.sessionToken;
  const names = Object.keys(headers).toSorted();
  const [path, query = ""] = options.path.split("?", 2);
  const canonical = [
    options.method ?? "GET",
    path,
    query
      .split("&")
      .filter(Boolean)
      .map((pair) => (pair.includes("=") ? pair : `${pair}=`))
      .toSorted()
      .join("&"),
    ...names.map((name) => `${name}:${headers[name]}`),
    "",
    names.join(";"),
    headers["x-amz-content-sha256"],
  ].join("\n");
  const scope = `${timestamp.slice(0, 8)}/${region}/${service}/aws4_request`;
  let key: string | Buffer = `AWS4${sign.secretAccessKey}`;
  for (const part of scope.split("/")) key = createHmac("sha256", key).update(part).digest();
  const signature = createHmac("sha256", key)
    .update(`AWS4-HMAC-SHA256\n${timestamp}\n${scope}\n${crypto.hash("sha256", Buffer.from(canonical, "latin1"))}`)
    .digest("hex");
  headers["authorization"] =
    `AWS4-HMAC-SHA256 Credential=${sign.accessKeyId}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
  return headers;
}
