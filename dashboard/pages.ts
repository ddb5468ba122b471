import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { LRUCache } from "lru-cache";
import { type Compressed, compressed } from "./compressed.ts";
import { HttpProblem } from "./http/problem.ts";
import { type PageAssets, readPage, readPageAssets } from "./page-assets.ts";

/** Addresses of pages, and the module of each below `views/`. The script of the shell has the same list. */
export const PAGES: Readonly<Record<string, string>> = {
  "/": "overview",
  "/problems": "problems",
  "/problems/:id": "problem",
  "/search": "search",
  "/bulk/:id": "bulk",
  "/batches": "batches",
  "/batches/new": "batch-form",
  "/batches/:id": "batch",
  "/jobs": "activities",
  "/jobs/:activity": "jobs",
  "/jobs/:activity/:id": "job",
  "/quarantine": "quarantine",
  "/schedules": "schedules",
  "/profiles": "profiles",
  "/documents": "documents",
  "/audit": "audit",
  "/workers": "workers",
  "/about": "about",
  "/docs": "docs",
};

/** A year: the address of a file changes with the file. */
const FOR_EVER = "public, max-age=31536000, immutable";
/** Headers that a browser heeds on pages alone. */
const OF_PAGES = [
  "content-security-policy",
  "cross-origin-opener-policy",
  "origin-agent-cluster",
  "permissions-policy",
  "referrer-policy",
  "x-dns-prefetch-control",
  "x-download-options",
  "x-frame-options",
  "x-permitted-cross-domain-policies",
  "x-xss-protection",
];
/** What every page asks first of all, so that it is under way before a script has run. */
const ASKED_BY_ALL = ["/api/session"];
/** What a page asks beside it. */
const ASKED_FIRST: Readonly<Record<string, readonly string[]>> = {
  overview: ["/api/overview", "/api/throughput?range=15m"],
  problems: ["/api/problems"],
  workers: ["/api/overview"],
  about: ["/api/overview"],
  activities: ["/api/overview", "/api/activities"],
};

/** How people may sign in. */
type SignInWays = { readonly withProvider: boolean; readonly withPasswords: boolean };

const PROVIDER_LINK =
  '<a class="button primary wide" id="provider" href="{{base}}/api/session/oidc">Sign in with your organization</a>';

declare module "fastify" {
  interface FastifyRequest {
    /** Where the dashboard is mounted for whoever asks: empty, or such as `/ops`. */
    readonly base: string;
  }
  interface FastifyInstance {
    /** Tells whoever reads with their own eyes that there is nothing here. */
    sendNotFoundPage?: (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;
  }
}

/** Serves the pages. They hold no data: what they show, they ask of the API. Every address in a page begins with the request's base. */
export async function addPages(
  app: FastifyInstance,
  assets: PageAssets = readPageAssets(),
  signIn: SignInWays = { withProvider: false, withPasswords: true },
): Promise<void> {
  const page = createPages(assets, signIn);
  app.decorate("sendNotFoundPage", async (request: FastifyRequest, reply: FastifyReply) =>
    sendPage(request, reply.code(404), page("not-found", request.base)),
  );
  await app.register(async (scope) => {
    // What the login page needs is public, and there is nothing to hide in the rest.
    scope.addHook("onRoute", (route) => {
      route.config = { access: "public", ...route.config };
    });
    await scope.register(async (inner) => addAssets(inner, assets));
    scope.get("/login", { exposeHeadRoute: true }, (request, reply) =>
      sendPage(request, reply, page("login", request.base)),
    );
    for (const [url, view] of Object.entries(PAGES))
      scope.get(url, { config: { access: "view" }, exposeHeadRoute: true }, (request, reply) =>
        sendPage(request, reply, page(view, request.base)),
      );
  });
}

function addAssets(app: FastifyInstance, { version, files }: PageAssets): void {
  const packed = new Map<string, Compressed>();
  app.addHook("onSend", async (request, reply, payload) => {
    // They say what a page may do, and these are no pages: forty times the same kilobyte.
    if (request.url.endsWith(".js") || request.url.endsWith(".css") || request.url.endsWith(".woff2"))
      for (const name of OF_PAGES) reply.removeHeader(name);
    return payload;
  });
  app.get<{ Params: { version: string; "*": string } }>(
    "/assets/:version/*",
    { exposeHeadRoute: true },
    async (request, reply) => {
      const { version: asked, "*": name } = request.params;
      const file = files.get(name);
      // Of another version: whoever asks has an old page open, and modules of two versions do not fit.
      if (file === undefined || asked !== version) throw new HttpProblem(404, "NotFound", "there is no such file");
      const isText = !file.type.startsWith("font/");
      const pack: Compressed =
        packed.get(name) ?? (isText ? compressed(file.content) : async () => ({ content: file.content }));
      packed.set(name, pack);
      const { content, encoding } = await pack(request.headers["accept-encoding"]);
      if (encoding !== undefined) reply.header("content-encoding", encoding);
      return reply.headers({ vary: "accept-encoding", "cache-control": FOR_EVER }).type(file.type).send(content);
    },
  );
}

/** Pages for some bases at most: a proxy may name any. */
const MOST_PAGES = 200;

/** Pages by their view and base, made when they are first asked for. */
function createPages(
  assets: PageAssets,
  { withProvider, withPasswords }: SignInWays,
): (view: string, base: string) => Compressed {
  const made = new LRUCache<string, Compressed>({ max: MOST_PAGES });
  const make = (view: string, base: string) => {
    const at = `${base}/assets/${assets.version}`;
    const modules = view === "login" ? ["login.js"] : ["app.js", `views/${view}.js`];
    const preloads = [...new Set(modules.flatMap((name) => assets.modulesOf(name)))].map(
      (name) => `<link rel="modulepreload" href="${at}/${name}" />`,
    );
    const first = view === "login" ? [] : [...ASKED_BY_ALL, ...(ASKED_FIRST[view] ?? [])];
    const asked = first.map((path) => `<link rel="preload" href="${base}${path}" as="fetch" crossorigin />`);
    const html = readPage(view === "login" ? "login" : "shell")
      .replaceAll("{{ways}}", withProvider ? PROVIDER_LINK : "")
      .replaceAll("{{form}}", withPasswords ? "" : "hidden")
      .replaceAll("{{base}}", base)
      .replaceAll("{{assets}}", at)
      .replace("{{preloads}}", [...preloads, ...asked].join("\n    "));
    return compressed(Buffer.from(html));
  };
  return (view, base) => {
    const name = `${base} ${view}`;
    const page = made.get(name) ?? make(view, base);
    made.set(name, page);
    return page;
  };
}

async function sendPage(request: FastifyRequest, reply: FastifyReply, page: Compressed): Promise<FastifyReply> {
  const { content, encoding } = await page(request.headers["accept-encoding"]);
  if (encoding !== undefined) reply.header("content-encoding", encoding);
  // Asked for anew each time: it names the version of everything else.
  return reply
    .headers({ vary: "accept-encoding", "cache-control": "no-cache" })
    .type("text/html; charset=utf-8")
    .send(content);
}
