import { readFileSync } from "node:fs";
import { join } from "node:path";
import type {
  AppControllerRoute,
  AppViewRoute,
  BullBoardQueues,
  ControllerHandlerReturnType,
  IServerAdapter,
  UIConfig,
} from "@bull-board/api/typings/app";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance, HTTPMethods } from "fastify";
import { HttpProblem } from "./http/problem.ts";

/** What createBullBoard hands over, once it is complete. */
type Board = {
  queues: BullBoardQueues;
  uiConfig: UIConfig;
  views: string;
  statics: { readonly route: string; readonly path: string };
  entry: AppViewRoute;
  api: AppControllerRoute[];
};

/**
 * Serves bull-board with what the server has anyway. Its own package for Fastify brings a second copy of bull-board, a template engine and
 * an error handler that would answer refusals of our gate with 500.
 */
export function bullBoardServer(basePath: string): {
  adapter: IServerAdapter;
  serve: (scope: FastifyInstance) => Promise<void>;
} {
  const board: Partial<Board> = {};
  const adapter: IServerAdapter = {
    setQueues: (queues) => keep({ queues }),
    setViewsPath: (views) => keep({ views }),
    setStaticPath: (route, path) => keep({ statics: { route, path } }),
    setEntryRoute: (entry) => keep({ entry }),
    // The server's own error handler answers.
    setErrorHandler: () => adapter,
    setApiRoutes: (api) => keep({ api }),
    setUIConfig: (uiConfig) => keep({ uiConfig }),
  };
  return { adapter, serve: (scope) => serve(scope, board as Board, basePath) }; // createBullBoard calls every setter

  function keep(part: Partial<Board>): IServerAdapter {
    Object.assign(board, part);
    return adapter;
  }
}

async function serve(scope: FastifyInstance, board: Board, basePath: string): Promise<void> {
  await scope.register(fastifyStatic, { root: board.statics.path, prefix: board.statics.route, maxAge: "1h" });
  const pageAt = (base: string): string => {
    const { name, params } = board.entry.handler({ basePath: base + basePath, uiConfig: board.uiConfig });
    return fill(readFileSync(join(board.views, name), "utf8"), params);
  };
  for (const url of [board.entry.route].flat())
    scope.get(url, ({ base }, reply) => reply.type("text/html; charset=utf-8").send(pageAt(base)));
  for (const { method, route, handler } of board.api)
    for (const url of [route].flat())
      scope.route({
        method: [method].flat().map((each) => each.toUpperCase()) as HTTPMethods[], // its methods are get, post, put and patch
        url,
        handler: async (request, reply) => {
          const answer: ControllerHandlerReturnType = await orRefused(() =>
            handler({
              queues: board.queues,
              uiConfig: board.uiConfig,
              // What Fastify parsed; bull-board checks it against its own schemas.
              params: request.params as Record<string, unknown>,
              query: request.query as Record<string, unknown>,
              body: (request.body ?? {}) as Record<string, unknown>,
              headers: request.headers as Record<string, string | undefined>,
            }),
          );
          return reply.code(answer.status ?? 200).send(answer.body);
        },
      });
}

/** bull-board fails where a name cannot be decoded, or a key is none of a job. That is a wrong request and no failure of ours. */
async function orRefused<Result>(run: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    // BullMQ reads what another program wrote as if it were its own.
    if (error instanceof SyntaxError || error instanceof TypeError)
      throw new HttpProblem(
        409,
        "MalformedJob",
        "a job or schedule here cannot be read; the dashboard's own pages show it",
        {
          cause: error,
        },
      );
    if (error instanceof URIError || (error instanceof Error && error.message.startsWith("WRONGTYPE")))
      throw new HttpProblem(400, "InvalidRequest", "expected the name of a queue, job or schedule", { cause: error });
    throw error;
  }
}

/** Its page asks Google for fonts; those of the system will do. */
const FOREIGN_FONTS = /<link href="https:\/\/fonts\.googleapis\.com[^>]*>/;

/** Fills bull-board's one template. `<%=` escapes; `<%-` does not, and holds JSON that bull-board has escaped itself. */
function fill(template: string, params: Readonly<Record<string, string>>): string {
  return template
    .replaceAll(/<%([=-])\s*(\w+)\s*%>/g, (_all, kind: string, name: string) =>
      kind === "-" ? (params[name] ?? "") : escapeHtml(params[name] ?? ""),
    )
    .replace(FOREIGN_FONTS, "");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
}
