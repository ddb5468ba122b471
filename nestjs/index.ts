// oxlint-disable-next-line import/no-unassigned-import -- it ends what an old Node could not run, and exports nothing
import "../model/require-node.ts";
export { BucketlineClient } from "./client.ts";
export { BucketlineHealthIndicator, type BucketlineHealth, type HealthOptions } from "./health.ts";
export { BucketlineModule, type BucketlineModuleOptions, type BucketlineOptionsFactory } from "./module.ts";
