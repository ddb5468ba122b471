import { z } from "zod";
import type { DashboardSettings } from "../../config.ts";
import { type ApiRoute, defineRoute } from "../../http/route.ts";
import { clearFlow, flowOf, setFlow, setSession } from "../cookies.ts";
import { FLOW_SECONDS, type Oidc, type OidcUser } from "./login.ts";
import type { Sessions } from "../sessions.ts";

const tag = "session";

/** Signing in at the OpenID Connect provider: there, and back. */
export function oidcRoutes({
  config: { sessionHours },
  oidc,
  sessions,
}: {
  readonly config: DashboardSettings;
  readonly oidc: Oidc;
  readonly sessions: Sessions;
}): readonly ApiRoute[] {
  /** Whoever came back, for the record of acts. */
  const came = new WeakMap<object, OidcUser>();
  return [
    defineRoute({
      method: "GET",
      path: "/api/session/oidc",
      access: "public",
      tag,
      summary: "Sign in at the OpenID Connect provider",
      description: "For browsers: leads there, and from there back to the page that was asked for.",
      query: z.object({ next: z.string().max(2048).optional().describe("Path within the dashboard to come back to") }),
      answers: { 303: { description: "To the provider" } },
      plainHead: true,
      handler: async ({ request, query }, reply) => {
        const { url, flow } = await oidc.begin(request, withinDashboard(query.next ?? nextOf(request.headers.referer)));
        setFlow(request, reply, flow, FLOW_SECONDS);
        return reply.header("cache-control", "no-store").redirect(url, 303);
      },
    }),
    defineRoute({
      method: "GET",
      path: "/api/session/oidc/callback",
      access: "public",
      tag,
      summary: "Come back from the OpenID Connect provider",
      answers: { 200: { description: "A page that goes on to where one wanted to", type: "text/html" } },
      plainHead: true,
      act: ({ request }) => {
        const user = came.get(request);
        return user && { action: "session.sign-in", actor: { name: user.name, kind: "oidc" } };
      },
      handler: async ({ request }, reply) => {
        const flow = flowOf(request);
        clearFlow(request, reply);
        const { user, next } = await oidc.finish(request, flow);
        came.set(request, user);
        setSession(request, reply, await sessions.createOidc(user), sessionHours);
        // A redirect would still be the provider's doing, and browsers keep strict cookies from it: a page of ours goes on.
        const to = escapeHtml(request.base + next);
        return reply
          .header("cache-control", "no-store")
          .type("text/html; charset=utf-8")
          .send(`<!doctype html><meta http-equiv="refresh" content="0;url=${to}"><a href="${to}">Go on</a>`);
      },
    }),
  ];
}

/** Only a place of ours: anything else would send whoever has just signed in wherever a link says. */
function withinDashboard(next: string): string {
  const there = URL.canParse(next, "http://dashboard") ? new URL(next, "http://dashboard") : undefined;
  const ours = there?.origin === "http://dashboard" && /^\/(?![/\\])/.test(next) && !there.pathname.startsWith("//");
  return ours && there !== undefined ? there.pathname + there.search : "/";
}

/** The page of the sign-in knows where one wanted to. */
function nextOf(referer: string | undefined): string {
  return (referer !== undefined && URL.canParse(referer) && new URL(referer).searchParams.get("next")) || "/";
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
