/**
 * ioredis hangs the command that failed on its errors, with its arguments: the password where it was AUTH or HELLO, what a job holds where
 * it was a script. Nobody may show those, so they are taken off before an error goes anywhere.
 */
export function withoutCommand<Thrown>(error: Thrown): Thrown {
  if (error instanceof Error && "command" in error) delete error.command;
  return error;
}
