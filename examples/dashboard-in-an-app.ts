// The dashboard within an app of your own, with the app's own sign-in. Run: node examples/dashboard-in-an-app.ts, with a Redis at REDIS_URL.
import { createServer, type IncomingMessage } from "node:http";
import { createDashboard } from "../dashboard/index.ts"; // in an app of yours: "bucketline/dashboard"

/** Whoever your app takes a request for: by its session, its proxy, its tokens. */
function identify({ headers }: IncomingMessage) {
  const name = headers["x-user"];
  return typeof name === "string" ? ({ name, role: name === "ada" ? "operator" : "viewer" } as const) : undefined;
}

const dashboard = await createDashboard({
  redis: process.env["REDIS_URL"] ?? "redis://127.0.0.1:6379",
  basePath: "/ops/",
  identify,
  signInUrl: "/sign-in",
});

// Node's own server, and so every framework that lets it through:
//   Express, NestJS   app.use("/ops", dashboard.handler)
//   Hono on Node      app.all("/ops/*", ({ env }) => (dashboard.handler(env.incoming, env.outgoing), RESPONSE_ALREADY_SENT))
//   Fastify           await app.register(dashboard.plugin, { prefix: "/ops" })
const server = createServer((request, response) => {
  if (request.url?.startsWith("/ops")) return dashboard.handler(request, response);
  return response.end("the app itself");
});
server.listen(3000, "127.0.0.1", () => process.stdout.write("http://127.0.0.1:3000/ops/\n"));
process.once("SIGTERM", () => {
  server.close();
  void dashboard.close();
});
