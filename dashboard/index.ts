// oxlint-disable-next-line import/no-unassigned-import -- it ends what an old Node could not run, and exports nothing
import "../model/require-node.ts";
export { createDashboard, type DashboardOptions, type EmbeddedDashboard } from "./embed.ts";
export type { HostIdentity } from "./access/host-sign-in.ts";
