import { type ServiceProcess, startServiceProcess } from "./service.ts";

export type WorkerProcess = ServiceProcess;

/** Starts a worker and resolves once it takes jobs. */
export const startWorkerProcess = (env: NodeJS.ProcessEnv): Promise<WorkerProcess> =>
  startServiceProcess("worker", '"msg":"taking jobs"', env);
