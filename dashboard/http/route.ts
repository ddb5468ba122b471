import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from "fastify";
import type { z } from "zod";
import { HttpProblem, parseOr422 } from "./problem.ts";

/** Who may use a route: anybody, whoever is signed in, or operators only. */
export type Access = "public" | "view" | "operate";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Every route has one; the server refuses to start otherwise. */
    access?: Access;
  }
}

/** What a route answers. */
export type Answer = {
  readonly description: string;
  readonly schema?: z.ZodType;
  /** Default `application/json`; several where the request chooses. */
  readonly type?: string | readonly string[];
};

/** A route of the HTTP API: what it takes and answers is declared once, for the server, its checks and the OpenAPI document. */
export type ApiRoute = {
  readonly method: "GET" | "HEAD" | "POST" | "DELETE";
  /** With parameters as `:name`. */
  readonly path: string;
  readonly access: Access;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  /** What the body is: JSON of this form, or bytes. `optional` where it may be left out. */
  readonly body?: { readonly schema: z.ZodType; readonly optional?: boolean } | "bytes";
  readonly answers: Readonly<Record<number, Answer>>;
  readonly handler: (call: ApiCall, reply: FastifyReply) => Promise<unknown>;
  /** HEAD is not this handler without the body: it has a route of its own, or none. */
  readonly plainHead?: boolean;
};

export type ApiCall = {
  readonly request: FastifyRequest;
  readonly params: Record<string, unknown>;
  readonly query: Record<string, unknown>;
  readonly headers: Record<string, unknown>;
  readonly body: unknown;
};

type Parts = { params: z.ZodObject; query: z.ZodObject; headers: z.ZodObject; body: z.ZodType };
type Out<S> = S extends z.ZodType ? z.output<S> : unknown;
type Typed<Given extends Partial<Parts>> = {
  readonly request: FastifyRequest;
  readonly params: Out<Given["params"]>;
  readonly query: Out<Given["query"]>;
  readonly headers: Out<Given["headers"]>;
  readonly body: Out<Given["body"]>;
};

/** Declares a route whose handler is given what its schemas parsed. */
export function defineRoute<
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  Headers extends z.ZodObject,
  Body extends z.ZodType,
>(
  route: Omit<ApiRoute, "params" | "query" | "headers" | "body" | "handler"> & {
    readonly params?: Params;
    readonly query?: Query;
    readonly headers?: Headers;
    readonly body?: { readonly schema: Body; readonly optional?: boolean } | "bytes";
    readonly handler: (
      call: Typed<{ params: Params; query: Query; headers: Headers; body: Body }>,
      reply: FastifyReply,
    ) => Promise<unknown>;
  },
): ApiRoute {
  // The handler is only ever called with what the schemas of the same declaration parsed.
  return route as unknown as ApiRoute;
}

const METHODS: readonly HTTPMethods[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/** Adds routes to the server, and for each of their paths the answer 405 to every other method. */
export function addRoutes(app: FastifyInstance, routes: readonly ApiRoute[]): void {
  for (const route of routes.filter(({ body }) => body !== "bytes")) addRoute(app, route);
  void app.register(async (scope) => {
    // Bytes of any type go to the handler as they come.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
    for (const route of routes.filter(({ body }) => body === "bytes")) addRoute(scope, route);
  });
  for (const path of new Set(routes.map((route) => route.path))) {
    const own = routes.filter((route) => route.path === path);
    const heads = own.some(({ method, plainHead }) => method === "GET" && !plainHead) ? ["HEAD"] : [];
    const allowed: string[] = [...own.map(({ method }) => method), ...heads];
    const allow = allowed.join(", ");
    const others = METHODS.filter((method) => !allowed.includes(method));
    refuse(app, path, {
      methods: others.filter((method) => method === "GET" || method === "HEAD"),
      access: "view",
      allow,
    });
    refuse(app, path, {
      methods: others.filter((method) => method !== "GET" && method !== "HEAD"),
      access: "operate",
      allow,
    });
  }
}

type Refused = { readonly methods: readonly HTTPMethods[]; readonly access: Access; readonly allow: string };

function refuse(app: FastifyInstance, path: string, { methods, access, allow }: Refused): void {
  if (methods.length === 0) return;
  app.route({
    method: [...methods],
    url: path,
    config: { access },
    // Before a body is read: nobody wants it.
    onRequest: async (request) => {
      throw new HttpProblem(405, "MethodNotAllowed", `${path}: expected ${allow}, got ${request.method}`, {
        headers: { allow },
      });
    },
    handler: () => undefined,
  });
}

function addRoute(app: FastifyInstance, route: ApiRoute): void {
  const { method, path, access, params, query, headers, body } = route;
  app.route({
    method,
    url: path,
    config: { access, streams: body === "bytes" },
    exposeHeadRoute: method === "GET" && route.plainHead !== true,
    ...(body === "bytes" && { bodyLimit: Number.MAX_SAFE_INTEGER }),
    handler: async (request, reply) => {
      const call: ApiCall = {
        request,
        params: params === undefined ? {} : parseParams(params, request.params, path),
        query: query === undefined ? {} : parseOr422(query, request.query, "query"),
        headers: headers === undefined ? {} : parseOr422(headers, request.headers, "headers"),
        body: body === undefined || body === "bytes" ? request.body : parseBody(body, request.body),
      };
      return route.handler(call, reply);
    },
  });
}

/** A path that cannot name anything is not there. */
function parseParams(schema: z.ZodObject, params: unknown, path: string): Record<string, unknown> {
  const parsed = schema.safeParse(params);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.map(String).join(".") ?? "path";
  throw new HttpProblem(404, "NotFound", `${path}: ${field}: ${issue?.message ?? "expected another form"}`, { field });
}

function parseBody(body: { readonly schema: z.ZodType; readonly optional?: boolean }, given: unknown): unknown {
  if (given === undefined || given === null) {
    if (body.optional) return undefined;
    throw new HttpProblem(422, "InvalidInput", "body: expected JSON, got nothing", { field: "body" });
  }
  return parseOr422(body.schema, given, "body");
}
