/** The part of a pino logger that stores and the sweeper need. */
export type StoreLog = {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
};

/** For callers that give no logger. */
export const silentLog: StoreLog = { info: () => undefined, warn: () => undefined };
