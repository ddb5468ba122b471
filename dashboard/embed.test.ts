import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import fastify, { type FastifyRequest } from "fastify";
import { Hono } from "hono";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { redisUrl, uniquePrefix } from "../test/fixtures.ts";
import { createDashboard, type DashboardOptions, type EmbeddedDashboard } from "./index.ts";
import { createToken } from "./password-hash.ts";

/** As much of Express as is used here; it brings no types. */
type Express = RequestListener & { use: (...given: readonly unknown[]) => void };
const express = createRequire(import.meta.url)("express") as (() => Express) & { json: () => unknown };

const log = pino({ level: "silent" });
const token = createToken();
/** The app's own sign-in: a header that its proxy or its session sets. */
const identify: NonNullable<DashboardOptions["identify"]> = ({ headers }) =>
  headers["x-app-user"] === "ada"
    ? { name: "ada", role: "operator" }
    : headers["x-app-user"] === "vic"
      ? { name: "vic", role: "viewer" }
      : undefined;
const ada = { "x-app-user": "ada" };

type Mounted = { readonly url: string; readonly close: () => Promise<unknown> };

async function listening(server: Server): Promise<Mounted> {
  if (!server.listening) await once(server, "listening");
  const { port } = server.address() as AddressInfo; // it listens to a port
  const close = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
  return { url: `http://127.0.0.1:${port}`, close };
}

/** Every way to mount it below /ops, beside a route of the app's own. */
const HOSTS: Readonly<Record<string, (dashboard: EmbeddedDashboard) => Promise<Mounted>>> = {
  "node:http": async ({ handler }) =>
    listening(
      createServer((request, response) =>
        request.url?.startsWith("/ops") ? handler(request, response) : response.end("own"),
      ).listen(0, "127.0.0.1"),
    ),
  Express: async ({ handler }) => {
    const app = express();
    app.use(express.json()); // before it, as many apps have it: bodies are read already
    app.use("/ops", handler);
    app.use((_request: IncomingMessage, response: ServerResponse) => response.end("own"));
    return listening(createServer(app).listen(0, "127.0.0.1"));
  },
  Hono: async ({ handler }) => {
    const app = new Hono<{ Bindings: { incoming: IncomingMessage; outgoing: ServerResponse } }>();
    const mounted = (context: { readonly env: { incoming: IncomingMessage; outgoing: ServerResponse } }) => {
      handler(context.env.incoming, context.env.outgoing);
      return RESPONSE_ALREADY_SENT;
    };
    app.all("/ops", mounted).all("/ops/*", mounted);
    app.get("/", (context) => context.text("own"));
    return listening(serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }) as Server);
  },
  NestJS: async ({ handler }) => {
    const AppModule = function AppModule() {} as unknown as new () => object; // a class of nothing
    Module({})(AppModule);
    const app = await NestFactory.create(AppModule, { logger: false });
    app.use("/ops", handler);
    app.use((_request: IncomingMessage, response: ServerResponse) => response.end("own"));
    await app.listen(0, "127.0.0.1");
    const { url } = await listening(app.getHttpServer() as Server);
    return { url, close: () => app.close() };
  },
  Fastify: async ({ plugin }) => {
    const app = fastify();
    await app.register(plugin, { prefix: "/ops" });
    app.get("/", () => "own");
    const url = await app.listen({ port: 0, host: "127.0.0.1" });
    return { url, close: () => app.close() };
  },
};

describe.each(Object.keys(HOSTS))("within %s", (name) => {
  let dashboard: EmbeddedDashboard;
  let app: Mounted;
  beforeAll(async () => {
    const options = {
      redis: redisUrl(),
      prefix: uniquePrefix(),
      basePath: "/ops/",
      tokens: `t:viewer:${token.hash}`,
      log,
    };
    dashboard = await createDashboard({ ...options, identify, signInUrl: "/sign-in?from=ops" });
    app = (await HOSTS[name]?.(dashboard)) ?? { url: "", close: async () => {} };
  });
  afterAll(async () => {
    await dashboard.close();
    await app.close();
  });

  const ask = (path: string, options: RequestInit = {}) => fetch(app.url + path, { redirect: "manual", ...options });

  test("serves pages, files and the API below its base, and leaves the rest to the app", async () => {
    const page = await (await ask("/ops/", { headers: { ...ada, accept: "text/html" } })).text();
    const addresses = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address = ""]) => address);
    expect(addresses.length).toBeGreaterThan(10);
    for (const address of addresses.slice(0, 5))
      expect([address, (await ask(address, { headers: ada })).status]).toEqual([address, 200]);
    expect(await (await ask("/")).text()).toBe("own");
    expect((await ask("/ops/api/overview", { headers: ada })).status).toBe(200);
    expect((await ask("/ops/api/nowhere", { headers: ada })).status).toBe(404);
  });

  test("takes bodies, whoever has read them first, and writes down who acted", async () => {
    const post = (headers: Record<string, string>, body = "{ }") =>
      ask("/ops/api/activities/list-buckets/jobs", {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body,
      });
    const added = await post(ada);
    expect([added.status, added.headers.get("location")]).toEqual([202, expect.stringMatching(/^\/ops\/api\/jobs\//)]);
    expect((await post(ada, '{"credentials":"ä","x":1}')).status).toBe(422);
    expect((await post({ "x-app-user": "vic" })).status).toBe(403);
    expect((await post({})).status).toBe(401);
    expect((await post({ ...ada, origin: "https://evil.example" })).status).toBe(403);
    expect((await post({ ...ada, cookie: "app=1" })).status).toBe(403);
    const { entries } = (await (await ask("/ops/api/audit", { headers: ada })).json()) as { entries: unknown };
    expect(entries).toMatchObject([{ action: "job.add", actor: "ada", known: "host" }]);
  });

  test("sends people to the app's sign-in, and programs away; its own tokens count", async () => {
    const page = await ask("/ops/jobs?state=failed", { headers: { accept: "text/html" } });
    expect([page.status, page.headers.get("location")]).toEqual([
      303,
      "/sign-in?from=ops&next=%2Fops%2Fjobs%3Fstate%3Dfailed",
    ]);
    expect((await ask("/ops/api/overview")).status).toBe(401);
    const bearer = { authorization: `Bearer ${token.token}` };
    expect((await ask("/ops/api/overview", { headers: bearer })).status).toBe(200);
    expect((await ask("/ops/api/overview", { headers: { authorization: "Bearer bl_wrong", ...ada } })).status).toBe(
      401,
    );
    expect((await ask("/ops/api/overview", { headers: { authorization: "Bearer the-app's", ...ada } })).status).toBe(
      200,
    );
  });

  test("streams events until the dashboard is closed", async () => {
    const answer = await ask("/ops/api/events", { headers: ada });
    const reader = answer.body?.getReader();
    let text = "";
    while (!text.includes("event: overview")) text += new TextDecoder().decode((await reader?.read())?.value);
    await reader?.cancel();
    expect(answer.headers.get("content-type")).toMatch(/event-stream/);
  });
});

describe("createDashboard", () => {
  const opened: EmbeddedDashboard[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((dashboard) => dashboard.close()));
  });
  const make = async (options: Partial<DashboardOptions>) => {
    const dashboard = await createDashboard({ redis: redisUrl(), prefix: uniquePrefix(), log, ...options });
    opened.push(dashboard);
    return dashboard;
  };

  test("is not made where nobody would have to say who they are", async () => {
    await expect(make({})).rejects.toThrow("LoginRequired");
  });

  test.each<[string, object]>([
    ["basePath", { basePath: "ops" }],
    ["users", { users: "ada:operator:plain" }],
    ["tokens", { tokens: "x" }],
    ["signInUrl", { signInUrl: "//evil.example" }],
    ["signInUrl", { signInUrl: "javascript:alert(1)" }],
    ["trustedProxies", { trustedProxies: ["everyone"] }],
    ["identify", { identify: "ada" }],
    ["unknown", { unknown: 1 }],
  ])("refuses a wrong %s: %j", async (field, options) => {
    await expect(make({ identify, ...options })).rejects.toThrow(field);
  });

  test("gives Fastify's own request to the app's sign-in, and believes no role that is none", async () => {
    const dashboard = await make({
      basePath: "/ops",
      identify: (_request, own) => (own as FastifyRequest & { user?: never })?.user,
    });
    const app = fastify();
    app.decorateRequest("user", null);
    app.addHook("onRequest", async (request) => {
      const role = request.headers["x-role"];
      Object.assign(request, { user: role === undefined ? undefined : { name: "ada", role } });
    });
    await app.register(dashboard.plugin, { prefix: "/ops" });
    const url = await app.listen({ port: 0, host: "127.0.0.1" });
    const status = async (headers: Record<string, string>) =>
      (await fetch(`${url}/ops/api/overview`, { headers })).status;
    expect(await status({ "x-role": "viewer" })).toBe(200);
    expect(await status({ "x-role": "root" })).toBe(500);
    expect(await status({})).toBe(401);
    await app.close();
  });

  test("answers to no name that was not given", async () => {
    const dashboard = await make({ identify, publicHosts: ["App.example"] });
    const { url, close } = await listening(createServer(dashboard.handler).listen(0, "127.0.0.1"));
    const { request } = await import("undici");
    const status = async (host: string) =>
      (await request(`${url}/api/overview`, { headers: { host, ...ada } })).statusCode;
    expect([await status("app.example"), await status("evil.example")]).toEqual([200, 421]);
    await close();
  });
});
