import { createBullBoard } from "@bull-board/api";
import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { RedisClient } from "../redis/connection/client.ts";
import { CHUNK_QUEUE } from "../jobs/queues.ts";
import { bullBoardServer } from "./bull-board-server.ts";
import type { BullQueues } from "./bull-queues.ts";
import { isOwnKey, redisKeys } from "../redis/keys.ts";
import { BULL_BOARD_CSP } from "./http/security-headers.ts";
import { putAsideMalformed } from "./job-views/put-aside-malformed.ts";
import { HttpProblem } from "./http/problem.ts";
import type { PageAssets } from "./page-assets.ts";
import type { Acts } from "./access/acts.ts";
import { redact } from "./redact.ts";

export const BULL_BOARD_PATH = "/queues";

export type BullBoardDeps = {
  readonly assets: PageAssets;
  readonly acts: Acts;
  readonly redis: RedisClient;
  readonly prefix: string;
  readonly queues: BullQueues;
  readonly readOnly: boolean;
};

/**
 * What bull-board offers but may not do here. It shows data with its secrets taken out, so an edited or duplicated job would carry
 * `[redacted]` into the queue; and what it adds has passed no contract. Obliterating or emptying a queue loses accepted jobs in silence,
 * and all failed jobs at once would take the cancelled ones with them: the page of problems acts on what failed alike.
 */
const REFUSED = /\/(?:add|update-data|obliterate|empty|retry\/:queueStatus)$/;
/** What may be cleared away at once: jobs that ended. All that wait, cleared, would be a queue emptied. */
const CLEANED: ReadonlySet<unknown> = new Set(["completed", "failed"]);

/** Mounts bull-board below /queues: its pages and its API, behind the same gate as everything else. */
export async function addBullBoard(
  app: FastifyInstance,
  { redis, prefix, queues, readOnly, assets, acts }: BullBoardDeps,
): Promise<void> {
  const { adapter, serve } = bullBoardServer(BULL_BOARD_PATH);
  // As seen from its page, whose addresses all begin where it is mounted.
  const logo = `../assets/${assets.version}/logo.svg`;
  createBullBoard({
    queues: queues.all.map(
      (queue) =>
        new BullMQAdapter(queue, {
          // A chunk is a part of a batch: what is done to it alone would make the batch's counts untrue.
          readOnlyMode: readOnly || queue.name === CHUNK_QUEUE,
          ...(queue.name === CHUNK_QUEUE && { description: "Chunks of batches. Steer the batch instead." }),
          externalJobUrl: ({ id }) => ({
            displayText: "Bucketline",
            href: `../jobs/${queue.name}/${encodeURIComponent(String(id ?? ""))}`,
          }),
        }),
    ),
    serverAdapter: adapter,
    options: {
      uiConfig: {
        boardTitle: "Bucketline queues",
        boardLogo: { path: logo, width: 28, height: 28 },
        favIcon: { default: logo, alternative: logo },
        miscLinks: [{ text: "Bucketline dashboard", url: "../" }],
        hideDocsLink: true,
        // It asks Redis for the list of all clients, for each queue, again and again; our own page of workers knows more.
        showWorkers: false,
        pollingInterval: { showSetting: true, forceInterval: 5 },
        theme: THEME,
      },
      handlerHooks: {
        before: ({ method, route }) =>
          method !== "get" && REFUSED.test(route)
            ? { allow: false, status: 403, message: "Not here: use the HTTP API, which checks what it adds." }
            : { allow: true },
        // One place for all of its answers: data, results, errors, logs, schedulers.
        after: (_context, result) => ({ ...result, body: redact(result.body) as typeof result.body }), // redacting keeps the shape
      },
    },
  });
  await app.register(
    async (scope) => {
      addGate(scope, acts);
      addRepairs(scope, { redis, prefix, queues });
      await serve(scope);
    },
    { prefix: BULL_BOARD_PATH },
  );
}

/** Who may do what on its pages, and a line of the audit for whatever was done. */
function addGate(scope: FastifyInstance, acts: Acts): void {
  scope.addHook("onRoute", (route) => {
    const reads = [route.method].flat().every((method) => method === "GET" || method === "HEAD");
    route.config = { ...route.config, access: reads ? "view" : "operate" };
  });
  scope.addHook("onRequest", async (_request, reply) => {
    reply.header("content-security-policy", BULL_BOARD_CSP);
  });
  scope.addHook("onResponse", async (request, { statusCode }) => {
    const [queue, id] = [named(request.params, "queueName"), named(request.params, "jobId")];
    if (request.method === "GET" || request.method === "HEAD" || statusCode >= 400) return;
    const verb = request.url.split("?", 1)[0]?.split("/").at(-1) ?? "";
    const target =
      typeof queue !== "string"
        ? undefined
        : typeof id === "string"
          ? { kind: "job", activity: queue, id }
          : { kind: "queue", id: queue };
    await acts(request, { action: `bull-board.${verb}`, target });
  });
  scope.addHook("preHandler", async ({ params }) => {
    const id = named(params, "jobId");
    // BullMQ would take its own keys for jobs: removing the job `meta` removes a queue's settings, its pause among them.
    if (typeof id === "string" && (isOwnKey(id) || id.includes(":")))
      throw new HttpProblem(404, "NotFound", "there is no such job");
    const state = named(params, "queueStatus");
    if (state !== undefined && !CLEANED.has(state))
      throw new HttpProblem(403, "Forbidden", "expected completed or failed: jobs that have not ended are cancelled");
  });
  // Whoever may only look is shown no button that would be refused.
  scope.addHook("preSerialization", async ({ identity }, _reply, payload) =>
    identity?.role === "viewer" && isListing(payload)
      ? {
          ...payload,
          queues: payload.queues.map((queue) => ({ ...queue, readOnlyMode: true, allowRetries: false })),
        }
      : payload,
  );
}

/** What has to be mended before bull-board reads or changes it. */
function addRepairs(
  scope: FastifyInstance,
  { redis, prefix, queues }: Pick<BullBoardDeps, "redis" | "prefix" | "queues">,
): void {
  // A job that is not JSON makes every listing that holds it fail.
  scope.addHook("preHandler", async (request) => {
    const queue = queueOf(request);
    if (queue === undefined || queues.get(queue) === undefined) return;
    await putAsideMalformed(redis, { prefix, queue, ...shownOf(request) });
  });
  // A worker that still sees the flag would cancel the job again.
  scope.addHook("preHandler", async ({ method, routeOptions, params }) => {
    if (method === "GET" || routeOptions.url?.endsWith("/:jobId/retry") !== true) return;
    const { queueName, jobId } = params as Record<string, string>; // both are in the route
    await redis.del(redisKeys(prefix).cancelled(queueName ?? "", jobId ?? ""));
  });
}

/** What bull-board is about to read: one job, or a page of a state or of every state. */
function shownOf({ params, query }: FastifyRequest): {
  readonly id?: string;
  readonly page: number;
  readonly perPage: number;
} {
  const id = named(params, "jobId");
  const page = Math.max(1, Math.trunc(Number(named(query, "page"))) || 1);
  const perPage = Math.max(1, Math.min(100, Math.trunc(Number(named(query, "jobsPerPage"))) || 10));
  return { ...(typeof id === "string" && { id }), page, perPage };
}

function isListing(payload: unknown): payload is { readonly queues: readonly object[] } {
  return Array.isArray(named(payload, "queues"));
}

function queueOf({ params, query }: FastifyRequest): string | undefined {
  const queue = named(params, "queueName") ?? named(query, "activeQueue");
  return typeof queue === "string" ? queue : undefined;
}

function named(from: unknown, name: string): unknown {
  return typeof from === "object" && from !== null && name in from
    ? (from as Record<string, unknown>)[name] // it has the name
    : undefined;
}

/** The dashboard's own colours, as in pages/assets/base.css. */
const THEME = {
  light: {
    background: "#f4f6f8",
    foreground: "#10171f",
    card: "#ffffff",
    "card-foreground": "#10171f",
    primary: "#0b6e75",
    "primary-foreground": "#ffffff",
    border: "#e0e5ea",
    ring: "#0b6e75",
    sidebar: "#ffffff",
    "sidebar-border": "#e0e5ea",
    "font-sans": '"Inter", system-ui, sans-serif',
    "font-mono": "ui-monospace, monospace",
  },
  dark: {
    background: "#0b0f14",
    foreground: "#e9eef4",
    card: "#131920",
    "card-foreground": "#e9eef4",
    primary: "#4fc6c9",
    "primary-foreground": "#06201f",
    border: "#232c37",
    ring: "#4fc6c9",
    sidebar: "#131920",
    "sidebar-border": "#232c37",
    "font-sans": '"Inter", system-ui, sans-serif',
    "font-mono": "ui-monospace, monospace",
  },
} as const;
