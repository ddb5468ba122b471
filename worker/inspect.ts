/** What the command line needs of a worker to look into its configuration and its stores; jobs go through Redis. */
export { readVariables } from "./config/parse.ts";
export { readWorkerConfig } from "./config/read.ts";
export { openToAll } from "./config/open-to-all.ts";
export type { Connection } from "../credentials/connection.ts";
export { proxyOf } from "../credentials/proxy.ts";
export { loadProfiles } from "../credentials/load-profiles.ts";
export { generateSealKeys } from "../credentials/seal-keys.ts";
export { createS3, type OpenS3 } from "../s3/create.ts";
export {
  type Capability,
  type CapabilityName,
  capabilityTitles,
  probeCapabilities,
  profileFor,
} from "../s3/probe/capabilities.ts";
export { enableVersioning, removeScratch } from "../s3/probe/scratch-objects.ts";
