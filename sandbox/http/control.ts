import type { IncomingMessage, ServerResponse } from "node:http";

/** Commands of the control channel by name: they take and return JSON. */
export type Control = Record<string, (input: unknown) => unknown>;

const PREFIX = "/_sandbox/";

/** Bucket names cannot start with an underscore, so these paths belong to nobody else. */
export function isControlPath(url: string | undefined): boolean {
  return url?.startsWith(PREFIX) ?? false;
}

/** Runs one command: `POST /_sandbox/<name>` with a JSON body. */
export function handleControl(control: Control, request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const name = (request.url ?? "").slice(PREFIX.length);
    const command = Object.hasOwn(control, name) ? control[name] : undefined;
    try {
      if (command === undefined)
        throw new Error(`no control command ${JSON.stringify(name)}; there are: ${Object.keys(control).join(", ")}`);
      const text = Buffer.concat(chunks).toString("utf8");
      const result: unknown = command(text === "" ? undefined : JSON.parse(text));
      send(response, 200, { result: result ?? null });
    } catch (error) {
      send(response, 400, { error: error instanceof Error ? error.message : String(error) });
    }
  });
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
  response.end(text);
}
