import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from "fastify";
import type { z } from "zod";
import { type Acts, reasonOf, type Told } from "../access/acts.ts";
import { checkScope, type Touched } from "../access/scope.ts";
import { MAX_DETAIL } from "../../producer/audit/entry.ts";
import { HttpProblem, parseOr422, problemOf } from "./problem.ts";

/** Who may use a route: anybody, whoever is signed in, or operators only. */
export type Access = "public" | "view" | "operate";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Every route has one; the server refuses to start otherwise. */
    access?: Access;
    /** It says what it touches, so that tokens with a scope may use it. */
    scoped?: boolean;
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
  /** What a request touches. Without it, tokens with a scope may not use the route. */
  readonly touches?: (call: ApiCall) => readonly Touched[] | Promise<readonly Touched[]>;
  /**
   * What is written down of it when it has been done; nothing where it returns undefined. Default for what changes something: the tag and the
   * path's last word (`job.cancel`), on what the path names.
   */
  readonly act?: (call: ApiCall, answer: unknown) => Told | undefined;
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
  route: Omit<ApiRoute, "params" | "query" | "headers" | "body" | "handler" | "touches" | "act"> & {
    readonly params?: Params;
    readonly query?: Query;
    readonly headers?: Headers;
    readonly body?: { readonly schema: Body; readonly optional?: boolean } | "bytes";
    readonly handler: (
      call: Typed<{ params: Params; query: Query; headers: Headers; body: Body }>,
      reply: FastifyReply,
    ) => Promise<unknown>;
    readonly touches?: (
      call: Typed<{ params: Params; query: Query; headers: Headers; body: Body }>,
    ) => readonly Touched[] | Promise<readonly Touched[]>;
    readonly act?: (
      call: Typed<{ params: Params; query: Query; headers: Headers; body: Body }>,
      answer: unknown,
    ) => Told | undefined;
  },
): ApiRoute {
  // The handler is only ever called with what the schemas of the same declaration parsed.
  return route as unknown as ApiRoute;
}

const METHODS: readonly HTTPMethods[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/** Adds routes to the server, and for each of their paths the answer 405 to every other method. */
export function addRoutes(app: FastifyInstance, routes: readonly ApiRoute[], acts: Acts): void {
  for (const route of routes.filter(({ body }) => body !== "bytes")) addRoute(app, route, acts);
  void app.register(async (scope) => {
    // Bytes of any type go to the handler as they come.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
    for (const route of routes.filter(({ body }) => body === "bytes")) addRoute(scope, route, acts);
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

function addRoute(app: FastifyInstance, route: ApiRoute, acts: Acts): void {
  const { method, path, access, params, query, headers, body } = route;
  app.route({
    method,
    url: path,
    config: { access, streams: body === "bytes", scoped: route.touches !== undefined },
    exposeHeadRoute: method === "GET" && route.plainHead !== true,
    ...(body === "bytes" && { bodyLimit: Number.MAX_SAFE_INTEGER }),
    handler: async (request, reply) => {
      const call: ApiCall = {
        request,
        params: params === undefined ? {} : parseParams(params, request.params),
        query: query === undefined ? {} : parseOr422(query, request.query, "query"),
        headers: headers === undefined ? {} : parseOr422(headers, request.headers, "headers"),
        body: body === undefined || body === "bytes" ? request.body : parseBody(body, request.body),
      };
      return perform(route, { call, reply, acts });
    },
  });
}

/** Does what was asked, where the asker's scope covers it, and writes down what changes something. */
async function perform(
  route: ApiRoute,
  { call, reply, acts }: { readonly call: ApiCall; readonly reply: FastifyReply; readonly acts: Acts },
): Promise<unknown> {
  const { request } = call;
  if (request.identity?.scope !== undefined) checkScope(request.identity, (await route.touches?.(call)) ?? []);
  const writes = route.method !== "GET" && route.method !== "HEAD";
  if (!writes && route.act === undefined) return route.handler(call, reply);
  reasonOf(request); // one that cannot be kept is refused before anything is done
  const tell = route.act ?? ((given: ApiCall) => usualAct(route, given));
  try {
    const answer = await route.handler(call, reply);
    const told = tell(call, answer);
    if (told !== undefined) await acts(request, told);
    return answer;
  } catch (error) {
    const { status, code } = problemOf(error).problem;
    // It may have been done all the same.
    const told = status >= 500 ? tell(call, undefined) : undefined;
    if (told !== undefined) await acts(request, { ...told, failed: code });
    throw error;
  }
}

function usualAct({ tag, path, method }: ApiRoute, { params, body }: ApiCall): Told {
  const kind = tag.replace(/(?<=ch)es$|s$/, "");
  const last = path.split("/").at(-1) ?? "";
  const verb = method === "DELETE" ? "delete" : last.startsWith(":") ? "change" : last;
  const { id, activity } = params;
  const target = typeof id === "string" ? { kind, id, ...(typeof activity === "string" && { activity }) } : undefined;
  const words = typeof body === "object" && body !== null && !(body instanceof Readable) ? JSON.stringify(body) : "";
  return { action: `${kind}.${verb}`, target, ...(words.length > 2 && { detail: words.slice(0, MAX_DETAIL) }) };
}

/** A path that cannot name anything is not there. */
function parseParams(schema: z.ZodObject, params: unknown): Record<string, unknown> {
  const parsed = schema.safeParse(params);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.map(String).join(".") ?? "path";
  throw new HttpProblem(404, "NotFound", `${field}: ${issue?.message ?? "expected another form"}`, { field });
}

function parseBody(body: { readonly schema: z.ZodType; readonly optional?: boolean }, given: unknown): unknown {
  if (given === undefined || given === null) {
    if (body.optional) return undefined;
    throw new HttpProblem(422, "InvalidInput", "body: expected JSON, got nothing", { field: "body" });
  }
  return parseOr422(body.schema, given, "body");
}
