import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";

/** Commands of the control channel by name: they take and return JSON. */
export type ControlCommands = Record<string, (input: unknown) => unknown>;

/** The commands, and what a request has to know to be let in: any page in a browser of this machine could send one. */
export type Control = { readonly commands: ControlCommands; readonly secret: string };

/** The header with the secret. */
export const SECRET_HEADER = "x-sandbox-secret";

const PREFIX = "/_sandbox/";

/** Bucket names cannot start with an underscore, so these paths belong to nobody else. */
export function isControlPath(url: string | undefined): boolean {
  return url?.startsWith(PREFIX) ?? false;
}

/** Runs one command: `POST /_sandbox/<name>` with the secret in a header and a JSON body. */
export function handleControl({ commands, secret }: Control, request: IncomingMessage, response: ServerResponse): void {
  if (request.method !== "POST" || !knows(secret, request.headers[SECRET_HEADER])) {
    request.resume();
    send(response, 403, { error: `expected POST with the secret of this sandbox in ${SECRET_HEADER}` });
    return;
  }
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const name = (request.url ?? "").slice(PREFIX.length);
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    try {
      if (command === undefined)
        throw new Error(`no control command ${JSON.stringify(name)}; there are: ${Object.keys(commands).join(", ")}`);
      const text = Buffer.concat(chunks).toString("utf8");
      const result: unknown = command(text === "" ? undefined : JSON.parse(text));
      send(response, 200, { result: result ?? null });
    } catch (error) {
      send(response, 400, { error: error instanceof Error ? error.message : String(error) });
    }
  });
}

function knows(secret: string, given: string | string[] | undefined): boolean {
  const [one, other] = [Buffer.from(secret), Buffer.from(String(given ?? ""))];
  return one.length === other.length && timingSafeEqual(one, other);
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
  response.end(text);
}
