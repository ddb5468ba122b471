/** What a command may know of the process it runs in; read once, in main.ts. */
export type Environment = {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Whether standard output is a terminal: bars and colours there, plain lines elsewhere. */
  readonly terminal: boolean;
};
