/** What comments at the head of a Lua script say of it. */
export type ScriptHeader = {
  /** Other files of its folder. */
  readonly uses: readonly string[];
  readonly keys: readonly string[];
  readonly args: readonly string[];
};

export function readHeader(text: string): ScriptHeader {
  const list = (label: string): string[] => {
    const line = new RegExp(`^-- ${label}:(.*)$`, "m").exec(text)?.[1] ?? "";
    return line.split(/\s+/).filter((word) => word !== "");
  };
  return { uses: list("uses"), keys: list("keys"), args: list("args") };
}
