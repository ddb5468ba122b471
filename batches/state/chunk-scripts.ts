import { loadScript } from "../../redis/scripts/load.ts";
import { BATCH_KEYS } from "./keys.ts";

const keys = [...BATCH_KEYS, "chunk"] as const;

/** What a chunk adds to its batch's counts, and when so many failures end the batch. */
const COUNTED = ["objects", "bytes", "lists", "heads", "copies", "deletes", "ratio", "minimum", "error"] as const;

export const beginChunk = loadScript(new URL("./scripts/begin-chunk.lua", import.meta.url), {
  keys,
  args: ["chain", "n", "name", "bit", "limit", "bytes", "nonce"],
});

export const commitChunk = loadScript(new URL("./scripts/commit-chunk.lua", import.meta.url), {
  keys,
  args: [
    "chain",
    "n",
    "name",
    "bit",
    "run",
    "nonce",
    "count",
    "bytes",
    "filtered",
    "cursor",
    "last",
    "manifest",
    "maxObjects",
    "maxBytes",
    "cap",
    "kept",
    "work",
  ],
});

export const checkpointChunk = loadScript(new URL("./scripts/checkpoint-chunk.lua", import.meta.url), {
  keys,
  args: ["name", "owner", "group", "live", ...COUNTED],
});

export const rememberInChunk = loadScript(new URL("./scripts/remember-in-chunk.lua", import.meta.url), {
  keys,
  args: ["owner", "field", "value"],
});

export const parkChunk = loadScript(new URL("./scripts/park-chunk.lua", import.meta.url), {
  keys,
  args: ["name", "owner"],
});

export const finishChunk = loadScript(new URL("./scripts/finish-chunk.lua", import.meta.url), {
  keys,
  args: [
    "name",
    "owner",
    "bit",
    "succeeded",
    "failed",
    "skipped",
    "unattempted",
    "size",
    "segment",
    ...COUNTED,
    "codes",
    "failures",
  ],
});

export const finishPlan = loadScript(new URL("./scripts/finish-plan.lua", import.meta.url), {
  keys,
  args: ["name", "owner", "bit", "counters"],
});
