import type { RedisClient } from "../../redis/connection/client.ts";
import { z } from "zod";
import type { DashboardSettings } from "../config.ts";
import { HttpProblem } from "../http/problem.ts";
import { type ApiRoute, defineRoute } from "../http/route.ts";
import { decoyHash, verifyPassword } from "../password-hash.ts";
import { clearSession, deviceOf, sessionIdOf, setDevice, setSession } from "./cookies.ts";
import { createDevice, knownDevice } from "./devices.ts";
import type { Identify } from "./identity.ts";
import { createLoginLimit } from "./login-limit.ts";
import { flagText } from "../api/job-schemas.ts";
import { SessionSchema } from "../api/session-schemas.ts";
import type { Sessions } from "./sessions.ts";

const Credentials = z
  .strictObject({
    name: z.string().min(1).max(64).describe("Name of the user"),
    password: z.string().min(1).max(1024).describe("Password of the user"),
  })
  .meta({ id: "SignIn", description: "A name and a password" });

type SessionRouteDeps = {
  readonly config: DashboardSettings;
  readonly redis: RedisClient;
  readonly sessions: Sessions;
  readonly identify: Identify;
};

const path = "/api/session";
const tag = "session";

/** Who is signed in, and signing in and out. */
export function sessionRoutes(deps: SessionRouteDeps): readonly ApiRoute[] {
  return [lookRoute(deps), signInRoute(deps), signOutRoute(deps)];
}

function lookRoute({ config: { readOnly, environment }, identify }: SessionRouteDeps): ApiRoute {
  return defineRoute({
    method: "GET",
    path,
    access: "public",
    tag,
    summary: "Who am I?",
    answers: { 200: { description: "Who the server takes the caller for", schema: SessionSchema } },
    handler: async ({ request }) => {
      const identity = await identify(request);
      return {
        signedIn: identity !== undefined,
        ...(identity && { name: identity.name, role: identity.role }),
        canOperate: identity?.role === "operator" && !readOnly,
        canSignOut: identity?.kind === "session" || identity?.kind === "oidc",
        readOnly,
        ...(environment !== undefined && { environment }),
      } satisfies z.infer<typeof SessionSchema>;
    },
  });
}

function signInRoute({ config, redis, sessions }: SessionRouteDeps): ApiRoute {
  const { prefix, users, limits, sessionHours } = config;
  const limit = createLoginLimit(redis, { prefix, perMinute: limits.logins });
  return defineRoute({
    method: "POST",
    path,
    access: "public",
    tag,
    summary: "Sign in with a name and a password",
    body: { schema: Credentials },
    act: ({ body: { name } }) => ({ action: "session.sign-in", actor: { name, kind: "session" } }),
    answers: { 204: { description: "Signed in; a session cookie is set" } },
    handler: async ({ request, body: { name, password } }, reply) => {
      const user = users.find((entry) => entry.name === name);
      const device = knownDevice(deviceOf(request), user);
      const attempt = { address: request.ip, name, device };
      await limit.count(attempt);
      // An unknown name takes as long as a wrong password, so that names cannot be found out.
      const hash = user?.hash ?? decoyHash(name, users);
      const right = hash !== undefined && (await verifyPassword(password, hash, { known: device !== undefined }));
      if (user === undefined || !right)
        throw new HttpProblem(401, "WrongCredentials", "the name or the password is wrong");
      await limit.forgive(attempt);
      setSession(request, reply, await sessions.create(user), sessionHours);
      setDevice(request, reply, createDevice(user));
      return reply.code(204).send();
    },
  });
}

function signOutRoute({ sessions }: SessionRouteDeps): ApiRoute {
  return defineRoute({
    method: "DELETE",
    path,
    access: "public",
    tag,
    summary: "Sign out",
    description: "With `everywhere=true`: on every browser of the same user.",
    query: z.object({
      everywhere: flagText.default(false).describe("End every session of this user, not only this one"),
    }),
    act: ({ request: { identity }, query: { everywhere } }) =>
      identity && { action: everywhere ? "session.sign-out-everywhere" : "session.sign-out" },
    answers: { 204: { description: "The session is over" } },
    handler: async ({ request, query: { everywhere } }, reply) => {
      const id = sessionIdOf(request);
      if (id !== undefined) await (everywhere ? sessions.endAll(id) : sessions.end(id));
      clearSession(request, reply);
      return reply.code(204).send();
    },
  });
}
