import type { Lab } from "./open.ts";

/** Requests by operation, as the server counted them while `run` ran. */
export async function countRequests(
  { control }: Lab["server"],
  run: () => Promise<unknown>,
): Promise<Readonly<Record<string, number>>> {
  const { counts: before } = await control.state();
  await run();
  const { counts: after } = await control.state();
  const changed = Object.entries(after)
    .map(([name, count]) => [name, count - ((before as Record<string, number>)[name] ?? 0)] as const) // operations are strings
    .filter(([, count]) => count > 0);
  return Object.fromEntries(changed);
}

export const describeCounts = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${count.toLocaleString("en-US")} ${name}`)
    .join(", ");
