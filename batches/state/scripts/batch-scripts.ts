import { loadScript } from "../../../redis/scripts/load.ts";
import { BATCH_KEYS as keys } from "../keys.ts";

export const createBatchScript = loadScript(new URL("./create-batch.lua", import.meta.url), {
  keys,
  args: ["id", "specHash", "items", "fields"],
});

export const takeTurn = loadScript(new URL("./take-turn.lua", import.meta.url), {
  keys: [...keys, "schedule", "waiting"],
  args: ["overlap", "maxWaiting", "id", "specHash", "items", "fields"],
});

export const openBatch = loadScript(new URL("./open-batch.lua", import.meta.url), {
  keys,
  args: ["note", "total", "feed", "cursors"],
});

export const wantedJobs = loadScript(new URL("./wanted-jobs.lua", import.meta.url), { keys, args: [] });

export const steerBatch = loadScript(new URL("./steer-batch.lua", import.meta.url), { keys, args: ["what", "error"] });

export const confirmBatch = loadScript(new URL("./confirm-batch.lua", import.meta.url), { keys, args: [] });

export const takeTokens = loadScript(new URL("./take-tokens.lua", import.meta.url), { keys, args: ["rate", "wanted"] });

export const readBatch = loadScript(new URL("./read-status.lua", import.meta.url), {
  keys: ["record", "live", "errors"],
  args: [],
});

export const noteBatch = loadScript(new URL("./note-batch.lua", import.meta.url), { keys, args: ["fields"] });
