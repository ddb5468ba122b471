import { fork } from "node:child_process";
import { once } from "node:events";

/** A program of this folder in a process of its own, which does what it is asked. */
export type Sibling<Request, Answer> = {
  readonly pid: number;
  ask(request: Request): Promise<Answer>;
  stop(): Promise<void>;
};

type Message<Answer> = { readonly answer: Answer } | { readonly error: string };

/** Starts a program that calls {@link serve}; resolves once it is ready. It ends with this process. */
export async function startSibling<Request, Answer>(
  program: string,
  setting: unknown,
): Promise<Sibling<Request, Answer>> {
  // What it prints is for people, and standard output belongs to the results.
  const child = fork(new URL(program, import.meta.url), [JSON.stringify(setting)], { stdio: ["ignore", 2, 2, "ipc"] });
  const exited = once(child, "exit");
  const died = exited.then(([code]) => {
    throw new Error(`${program} ended with code ${String(code)}`);
  });
  died.catch(() => undefined);
  const answer = async (): Promise<Answer> => {
    const [message] = (await Promise.race([once(child, "message"), died])) as [Message<Answer>]; // sent by serve
    if ("error" in message) throw new Error(`${program}: ${message.error}`);
    return message.answer;
  };
  await answer();
  return {
    pid: child.pid ?? 0,
    async ask(request) {
      const answered = answer();
      child.send({ request });
      return await answered;
    },
    async stop() {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}

/** In the program: answers one request after the other until the process that started it lets go. Requests are what `ask` was given. */
export function serve(handle: (request: unknown) => Promise<unknown>): void {
  process.on("message", (message: { readonly request: unknown }) => {
    handle(message.request).then(
      (answer) => process.send?.({ answer: answer ?? "done" }),
      (error: unknown) => process.send?.({ error: String(error) }),
    );
  });
  process.on("disconnect", () => process.exit(0));
  process.send?.({ answer: "ready" });
}
