import { createHmac, timingSafeEqual } from "node:crypto";
import type { FastifyRequest } from "fastify";
import * as client from "openid-client";
import { z } from "zod";
import { HttpProblem } from "../../http/problem.ts";
import type { OidcLogin } from "./settings.ts";
import type { Role } from "../rights.ts";

/** What a browser keeps while its user is at the provider. */
const Flow = z.object({
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  next: z.string(),
  until: z.int(),
});
type Flow = z.infer<typeof Flow>;

export const FLOW_SECONDS = 600;
const TIMEOUT_S = 10;
const CALLBACK = "/api/session/oidc/callback";

export type OidcUser = { readonly name: string; readonly role: Role };

export type Oidc = {
  /** Where the browser goes, and what it keeps in a cookie meanwhile. */
  begin(request: FastifyRequest, next: string): Promise<{ readonly url: string; readonly flow: string }>;
  /** Who came back, and where they wanted to. Throws 401 for whoever did not leave from here, and 403 for whoever may not look. */
  finish(
    request: FastifyRequest,
    flow: string | undefined,
  ): Promise<{ readonly user: OidcUser; readonly next: string }>;
};

/**
 * The authorization code flow with PKCE, state and nonce; the ID token's signature, issuer, audience and times are checked by openid-client.
 * https://openid.net/specs/openid-connect-core-1_0.html
 */
export function createOidc(login: OidcLogin): Oidc {
  let found: Promise<client.Configuration> | undefined;
  const provider = async (): Promise<client.Configuration> => {
    found ??= discover(login);
    try {
      return await found;
    } catch (error) {
      found = undefined; // asked again next time
      throw new HttpProblem(503, "SignInUnavailable", "the provider that signs people in does not answer", {
        cause: error,
      });
    }
  };
  return {
    async begin(request, next) {
      const [state, nonce, verifier] = [client.randomState(), client.randomNonce(), client.randomPKCECodeVerifier()];
      const url = client.buildAuthorizationUrl(await provider(), {
        redirect_uri: `${originOf(request)}${request.base}${CALLBACK}`,
        scope: login.scopes.join(" "),
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256",
        state,
        nonce,
      });
      const flow = { state, nonce, verifier, next, until: Date.now() + FLOW_SECONDS * 1000 };
      return { url: url.href, flow: seal(flow, login) };
    },
    async finish(request, given) {
      const flow = unseal(given, login);
      if (flow === undefined) throw refused("expected a sign-in that began here, less than ten minutes ago");
      const at = new URL(`${originOf(request)}${request.base}${request.url}`);
      const configuration = await provider();
      let claims: Readonly<Record<string, unknown>> | undefined;
      try {
        const tokens = await client.authorizationCodeGrant(configuration, at, {
          pkceCodeVerifier: flow.verifier,
          expectedState: flow.state,
          expectedNonce: flow.nonce,
          idTokenExpected: true,
        });
        claims = tokens.claims();
      } catch (error) {
        request.log.warn({ err: error }, "a sign-in at the provider was not accepted");
        throw refused("the provider's answer was not accepted; the dashboard's log says why", error);
      }
      return { user: userOf(claims ?? {}, login), next: flow.next };
    },
  };
}

async function discover({ issuer, clientId, clientSecret }: OidcLogin): Promise<client.Configuration> {
  const insecure = issuer.startsWith("http:") ? [client.allowInsecureRequests] : [];
  return client.discovery(new URL(issuer), clientId, clientSecret, undefined, {
    // Signatures are checked although the token comes straight from the provider.
    execute: [...insecure, client.enableNonRepudiationChecks],
    timeout: TIMEOUT_S,
  });
}

function userOf(claims: Readonly<Record<string, unknown>>, login: OidcLogin): OidcUser {
  const name = Object.hasOwn(claims, login.nameClaim) ? claims[login.nameClaim] : undefined;
  if (typeof name !== "string" || name.trim() === "" || name.length > 128 || /\p{Cc}/u.test(name))
    throw refused(`expected a name in the claim ${login.nameClaim}`);
  // Whoever may write any address into a profile of theirs would be whoever they like. Some providers write it as text, some not at all.
  const { email_verified: verified = true } = claims;
  if (login.nameClaim === "email" && verified !== true && verified !== "true")
    throw refused("expected a verified address");
  const given = Object.hasOwn(claims, login.groupsClaim) ? claims[login.groupsClaim] : [];
  const groups = (Array.isArray(given) ? given : [given]).filter((group) => typeof group === "string");
  const isIn = (list: readonly string[]) => groups.some((group) => list.includes(group));
  if (login.operatorUsers.includes(name) || isIn(login.operatorGroups)) return { name, role: "operator" };
  if (login.viewerGroups.length === 0 || isIn(login.viewerGroups)) return { name, role: "viewer" };
  throw new HttpProblem(403, "Forbidden", `${name} is in none of the groups that may look`);
}

function refused(why: string, cause?: unknown): HttpProblem {
  return new HttpProblem(401, "WrongCredentials", `signing in failed: ${why}`, { cause });
}

/** The host was checked before: it is one of ours. */
function originOf(request: FastifyRequest): string {
  return `${request.protocol}://${request.headers.host ?? ""}`;
}

function seal(flow: Flow, login: OidcLogin): string {
  const text = Buffer.from(JSON.stringify(flow)).toString("base64url");
  return `${text}.${macOf(text, login)}`;
}

function unseal(given: string | undefined, login: OidcLogin): Flow | undefined {
  const [text = "", mac = ""] = given?.split(".") ?? [];
  const [one, other] = [Buffer.from(mac), Buffer.from(macOf(text, login))];
  if (one.length !== other.length || !timingSafeEqual(one, other)) return undefined;
  const flow = Flow.parse(JSON.parse(Buffer.from(text, "base64url").toString())); // we wrote it
  return flow.until > Date.now() ? flow : undefined;
}

function macOf(text: string, { clientSecret }: OidcLogin): string {
  return createHmac("sha256", clientSecret).update(`bucketline oidc flow ${text}`).digest("base64url");
}
