import { loadScript } from "../../redis/scripts/load.ts";
import { BATCH_KEYS as keys } from "./keys.ts";

export const createBatchScript = loadScript(new URL("./scripts/create-batch.lua", import.meta.url), {
  keys,
  args: ["id", "specHash", "items", "fields"],
});

export const takeTurn = loadScript(new URL("./scripts/take-turn.lua", import.meta.url), {
  keys: [...keys, "schedule", "waiting"],
  args: ["overlap", "maxWaiting", "id", "specHash", "items", "fields"],
});

export const openBatch = loadScript(new URL("./scripts/open-batch.lua", import.meta.url), {
  keys,
  args: ["note", "total", "feed", "cursors"],
});

export const wantedJobs = loadScript(new URL("./scripts/wanted-jobs.lua", import.meta.url), { keys, args: [] });

export const steerBatch = loadScript(new URL("./scripts/steer-batch.lua", import.meta.url), {
  keys,
  args: ["what", "error"],
});

export const confirmBatch = loadScript(new URL("./scripts/confirm-batch.lua", import.meta.url), { keys, args: [] });

export const takeTokens = loadScript(new URL("./scripts/take-tokens.lua", import.meta.url), {
  keys,
  args: ["rate", "wanted"],
});

export const countRequests = loadScript(new URL("./scripts/count-requests.lua", import.meta.url), {
  keys,
  args: ["lists", "heads", "copies", "deletes"],
});

export const readBatch = loadScript(new URL("./scripts/read-status.lua", import.meta.url), {
  keys: ["record", "live", "errors"],
  args: [],
});

export const noteBatch = loadScript(new URL("./scripts/note-batch.lua", import.meta.url), { keys, args: ["fields"] });
