import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance } from "fastify";

/** Addresses of pages; the script of the shell shows what belongs to each. */
const PAGES = [
  "/",
  "/batches",
  "/batches/new",
  "/batches/:id",
  "/jobs",
  "/jobs/:activity",
  "/jobs/:activity/:id",
  "/quarantine",
  "/workers",
  "/docs",
];

const root = join(dirname(fileURLToPath(import.meta.url)), "pages");
const resolve = createRequire(import.meta.url).resolve;

/** Files of others that pages use, served from here and from nowhere else. */
const VENDOR = {
  "uplot.js": resolve("uplot/dist/uPlot.esm.js"),
  "uplot.css": resolve("uplot/dist/uPlot.min.css"),
  "inter.woff2": resolve("@fontsource-variable/inter/files/inter-latin-wght-normal.woff2"),
  "jetbrains-mono.woff2": resolve("@fontsource-variable/jetbrains-mono/files/jetbrains-mono-latin-wght-normal.woff2"),
} as const;

/** Serves the pages. They hold no data: what they show, they ask of the API. */
export async function addPages(app: FastifyInstance): Promise<void> {
  await app.register(async (assets) => {
    // What the login page needs is public, and there is nothing to hide in the rest.
    assets.addHook("onRoute", (route) => {
      route.config = { access: "public", ...route.config };
    });
    await assets.register(fastifyStatic, {
      root: join(root, "assets"),
      prefix: "/assets/",
      cacheControl: true,
      maxAge: 0,
      etag: true,
    });
    for (const [name, file] of Object.entries(VENDOR))
      assets.get(`/vendor/${name}`, (_request, reply) =>
        reply.sendFile(file.slice(dirname(file).length + 1), dirname(file)),
      );
    assets.get("/login", (_request, reply) => reply.sendFile("login.html", root));
    for (const url of PAGES)
      assets.get(url, { config: { access: "view" } }, (_request, reply) => reply.sendFile("shell.html", root));
  });
}
