import { z } from "zod";
import { type ServiceProcess, startServiceProcess } from "./service.ts";

const Opened = z.object({ url: z.url() });

/** Starts a dashboard and resolves once it is open, with its address. */
export async function startDashboardProcess(
  env: NodeJS.ProcessEnv,
): Promise<ServiceProcess & { readonly url: string }> {
  const started = await startServiceProcess("dashboard", '"msg":"the dashboard is open"', env);
  return { ...started, url: Opened.parse(JSON.parse(started.readyLine)).url };
}
