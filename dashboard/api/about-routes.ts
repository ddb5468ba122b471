import { VERSION } from "../../model/version.ts";
import { withoutSecrets } from "../../redis/connection/url.ts";
import type { DashboardSettings } from "../config.ts";
import { type ApiRoute, defineRoute } from "../http/route.ts";
import { redactText } from "../redact.ts";
import { AboutSchema } from "./page-schemas.ts";

export function aboutRoutes(config: DashboardSettings): readonly ApiRoute[] {
  const { environment, prefix, redis, documentsUrl, basePath, bullBoard, readOnly, sessionHours } = config;
  return [
    defineRoute({
      method: "GET",
      path: "/api/about",
      access: "view",
      tag: "overview",
      summary: "What this dashboard is, and what it looks at",
      answers: { 200: { description: "Its settings, without secrets", schema: AboutSchema } },
      handler: async () => ({
        version: VERSION,
        node: process.versions.node,
        ...(environment !== undefined && { environment }),
        prefix,
        redis: typeof redis === "string" ? withoutSecrets(redis) : "a connection of the app that runs it",
        documents: redactText(documentsUrl),
        basePath,
        bullBoard,
        readOnly,
        sessionHours,
      }),
    }),
  ];
}
