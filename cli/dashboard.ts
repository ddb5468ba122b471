import { Command } from "commander";
import type { Environment } from "./environment.ts";

/** `bucketline dashboard`: configured by the environment alone. */
export function dashboardCommand(_environment: Environment): Command {
  return new Command("dashboard")
    .description("open the dashboard and the HTTP API; its configuration is the environment (docs/dashboard.md)")
    .addHelpText(
      "after",
      `
Examples:
  1. REDIS_URL=redis://127.0.0.1:6379 bucketline dashboard
  2. BUCKETLINE_DASHBOARD_PORT=9000 BUCKETLINE_DASHBOARD_READ_ONLY=true bucketline dashboard
  3. BUCKETLINE_DASHBOARD_HOST=0.0.0.0 BUCKETLINE_DASHBOARD_USERS_FILE=users bucketline dashboard`,
    )
    .action(async () => {
      await import("../dashboard/main.ts");
    });
}
