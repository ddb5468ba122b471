import type { Reply, ScriptCall } from "./call.ts";

/* What the scripts of worker/attempt/scripts do, in JavaScript. */

export function keepFirstPin({ own, args }: ScriptCall): Reply {
  if (!own.has("pin")) own.set("pin", args[0] ?? "");
  return [own.get("pin") ?? null, own.get("copy") ?? null];
}

export function noteBegun({ own }: ScriptCall): Reply {
  const before = own.has("began");
  own.set("began", "1");
  return before ? 1 : 0;
}

export function writeEvidence({ own, args }: ScriptCall): Reply {
  own.set(args[0] ?? "", args[1] ?? "");
  return 1;
}
