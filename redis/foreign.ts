/** What Redis says where a key holds another type, or a text where it should count. */
const FOREIGN = /\bWRONGTYPE\b|\bvalue is not an integer\b|\bnot a valid float\b/;

/** Whether an error says that something of another type or form lies under a name of ours: another program's hand, and no trouble of Redis. */
export function isForeign(error: unknown): boolean {
  return error instanceof Error && FOREIGN.test(error.message);
}

/** For people: what lies where something of ours belongs, as far as the error tells. */
export function foreignMeans(error: Error): string {
  // As scripts of ours say it; Redis adds which line of them it was.
  const said = /\bWRONGTYPE (the key .{1,300}? belongs)\b/.exec(error.message)?.[1];
  if (said !== undefined) return `${said}: another program wrote it`;
  const [key] = "command" in error ? keysOf(error.command) : [];
  const what = key === undefined ? "a key that Bucketline keeps something in" : `the key ${key}`;
  return `${what} holds something of another type or form: another program wrote it`;
}

/** ioredis hangs the command on its errors: of a plain one the first argument is the key, of a script nobody knows which. */
function keysOf(command: unknown): readonly string[] {
  if (typeof command !== "object" || command === null || !("name" in command) || !("args" in command)) return [];
  const { name, args } = command;
  if (typeof name !== "string" || /^eval/i.test(name) || !Array.isArray(args)) return [];
  const [key] = args as readonly unknown[];
  return typeof key === "string" || Buffer.isBuffer(key) ? [String(key).slice(0, 200)] : [];
}

/** What is read, or `instead` where somebody put something of another type in its place: one thing that cannot be read hides no other. */
export async function unlessForeign<Found>(reading: Promise<Found>, instead: Found): Promise<Found> {
  try {
    return await reading;
  } catch (error) {
    if (isForeign(error)) return instead;
    throw error;
  }
}
