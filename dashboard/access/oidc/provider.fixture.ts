import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";

export type Provider = AsyncDisposable & {
  readonly issuer: string;
  readonly client: { readonly id: string; readonly secret: string };
  /** What it says of whoever signs in next. */
  claims: Record<string, unknown>;
  /** How it lies: in the ID token, or about its key. */
  lie: {
    readonly claims?: Record<string, unknown>;
    readonly foreignKey?: boolean;
    /** Signed with nothing, or with the client's secret, which openid-client has as well. */
    readonly alg?: "none" | "HS256";
    /** In the answer beside the code. */
    readonly iss?: string;
  };
};

/** A small OpenID Connect provider that signs everybody in: authorization code with PKCE, as real ones do it. */
export async function startProvider(): Promise<Provider> {
  const [own, foreign] = await Promise.all([generateKeyPair("RS256"), generateKeyPair("RS256")]);
  const jwk = { ...(await exportJWK(own.publicKey)), kid: "k1", alg: "RS256", use: "sig" };
  const codes = new Map<string, URLSearchParams>();
  const client = { id: "bucketline", secret: randomUUID() + randomUUID() };
  const server = createServer((request, response) => {
    void answer(request.url ?? "/", () => text(request), request.headers.authorization).then(
      ({ status = 200, headers = {}, body }) => response.writeHead(status, headers).end(body && JSON.stringify(body)),
      () => response.writeHead(500).end(),
    );
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens to a port
  const provider: Provider = {
    issuer,
    client,
    claims: {},
    lie: {},
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return provider;

  type Answer = { readonly status?: number; readonly headers?: Record<string, string>; readonly body?: object };
  async function answer(url: string, body: () => Promise<string>, authorization?: string): Promise<Answer> {
    const { pathname, searchParams } = new URL(url, issuer);
    const json = { "content-type": "application/json" };
    if (pathname === "/.well-known/openid-configuration") return { headers: json, body: discovery(issuer) };
    if (pathname === "/keys") return { headers: json, body: { keys: [jwk] } };
    if (pathname === "/authorize") {
      const code = randomUUID();
      codes.set(code, searchParams);
      const back = new URL(searchParams.get("redirect_uri") ?? "");
      back.search = String(
        new URLSearchParams({ code, state: searchParams.get("state") ?? "", iss: provider.lie.iss ?? issuer }),
      );
      return { status: 303, headers: { location: back.href } };
    }
    if (pathname !== "/token") return { status: 404 };
    const sent = new URLSearchParams(await body());
    const knows = knowsSecret(client, sent, authorization);
    const asked = codes.get(sent.get("code") ?? "");
    codes.delete(sent.get("code") ?? "");
    if (asked === undefined || !fits(asked, sent) || !knows)
      return { status: 400, headers: json, body: { error: "invalid_grant" } };
    const claims = { sub: "s1", nonce: asked.get("nonce"), ...provider.claims, ...provider.lie.claims };
    const key = provider.lie.foreignKey === true ? foreign.privateKey : own.privateKey;
    const token = await signed(
      { iss: issuer, aud: client.id, ...claims },
      { key, alg: provider.lie.alg, secret: client.secret },
    );
    return {
      headers: json,
      body: { access_token: randomUUID(), token_type: "Bearer", id_token: token, expires_in: 300 },
    };
  }
}

type Key = Awaited<ReturnType<typeof generateKeyPair>>["privateKey"];

function discovery(issuer: string): object {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/keys`,
    response_types_supported: ["code"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["RS256"],
  };
}

/** Whether a code is asked for by whoever began. */
function fits(asked: URLSearchParams, sent: URLSearchParams): boolean {
  const challenge = createHash("sha256")
    .update(sent.get("code_verifier") ?? "")
    .digest("base64url");
  return asked.get("code_challenge") === challenge && asked.get("redirect_uri") === sent.get("redirect_uri");
}

function knowsSecret({ id, secret }: Provider["client"], sent: URLSearchParams, authorization = ""): boolean {
  const basic = Buffer.from(authorization.replace(/^Basic /, ""), "base64").toString();
  return basic === `${id}:${secret}` || (sent.get("client_id") === id && sent.get("client_secret") === secret);
}

async function signed(
  claims: Record<string, unknown>,
  { key, alg, secret }: { readonly key: Key; readonly alg: "none" | "HS256" | undefined; readonly secret: string },
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const whole = { iat: now, exp: now + 300, ...claims };
  if (alg === "none") return new UnsecuredJWT(whole).encode();
  if (alg === "HS256") return new SignJWT(whole).setProtectedHeader({ alg }).sign(Buffer.from(secret));
  return new SignJWT(whole).setProtectedHeader({ alg: "RS256", kid: "k1" }).sign(key);
}
