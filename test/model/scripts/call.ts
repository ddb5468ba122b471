/** A script of the code under test, as it is asked of the model's Redis. */
export type ScriptCall = {
  readonly keys: readonly string[];
  readonly args: readonly string[];
  /** The hash at a key of the model's Redis. */
  readonly hash: (key: string) => Map<string, string>;
  /** The hash at the first key: of most scripts the only one. */
  readonly own: Map<string, string>;
  readonly now: number;
};

export type Reply = string | number | readonly (string | null)[];
