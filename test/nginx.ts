import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../cli/free-port.ts";

/** A name that the certificate has, and a proxy's location for each: the rest of its block. */
export type NginxOptions = { readonly locations: readonly string[] };

export type Nginx = AsyncDisposable & {
  /** The port of each location's own server, with TLS. */
  readonly ports: readonly number[];
};

const NAME = "ops.example";
const FORWARDED =
  "proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; " +
  "proxy_set_header X-Forwarded-Proto $scheme; proxy_http_version 1.1;";

export function findNginx(): string | undefined {
  return ["/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/bin/nginx"].find((path) => existsSync(path));
}

/** Starts a real nginx that ends TLS, with a server for each location. */
export async function startNginx({ locations }: NginxOptions): Promise<Nginx> {
  const program = findNginx();
  if (program === undefined) throw new Error("no nginx: apt-get install nginx");
  const folder = await mkdtemp(join(tmpdir(), "bucketline-nginx-"));
  const at = (name: string) => join(folder, name);
  await mkdir(at("tmp"));
  const [key, certificate] = [at("key.pem"), at("certificate.pem")];
  const subject = ["-subj", `/CN=${NAME}`, "-addext", `subjectAltName=DNS:${NAME},DNS:localhost`];
  const pair = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-keyout", key, "-out", certificate];
  execFileSync("openssl", ["req", "-x509", "-nodes", "-days", "2", ...pair, ...subject], { stdio: "pipe" });
  const ports = await Promise.all(locations.map(() => freePort(0)));
  const servers = locations.map(
    (location, index) =>
      `server { listen 127.0.0.1:${ports[index]} ssl; ssl_certificate ${certificate}; ssl_certificate_key ${key};
        ${location.replace("FORWARDED", FORWARDED)} }`,
  );
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  await writeFile(
    at("nginx.conf"),
    `daemon off; pid ${at("nginx.pid")}; error_log ${at("error.log")}; worker_processes 1;
    ${process.getuid?.() === 0 ? "user root;" : ""}
    events { worker_connections 512; }
    http { access_log off; ${temporary.map((name) => `${name}_temp_path ${at("tmp")}/${name};`).join(" ")} ${servers.join("\n")} }`,
  );
  const child = spawn(program, ["-c", at("nginx.conf"), "-p", folder, "-e", at("error.log")], { stdio: "pipe" });
  let said = "";
  child.stderr.on("data", (text) => (said += String(text)));
  const ended = once(child, "exit");
  const stop = async () => {
    child.kill();
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    for (const port of ports) await reach(port, () => (child.exitCode === null ? undefined : said));
  } catch (error) {
    await stop();
    throw error;
  }
  return { ports, [Symbol.asyncDispose]: stop };
}

async function reach(port: number, failed: () => string | undefined): Promise<void> {
  for (;;) {
    const why = failed();
    if (why !== undefined) throw new Error(`nginx ended: ${why}`);
    const socket = connect(port, "127.0.0.1");
    const connected = await Promise.race([
      once(socket, "connect").then(() => true),
      once(socket, "error").then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (connected) return;
    await sleep(20);
  }
}

export type Proxied = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
};

/** What a browser at `https://ops.example` sends. `until`: enough of an answer that does not end. */
export async function askThrough(
  port: number,
  path: string,
  options: {
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: object;
    readonly until?: string;
  } = {},
): Promise<Proxied> {
  const { method = "GET", headers = {}, body, until } = options;
  const own = `https://${NAME}:${port}`;
  const sent = request({
    host: "127.0.0.1",
    port,
    path,
    method,
    rejectUnauthorized: false, // its own certificate
    servername: NAME,
    headers: {
      host: `${NAME}:${port}`,
      "sec-fetch-site": "same-origin",
      ...(method !== "GET" && { origin: own }),
      ...(body !== undefined && { "content-type": "application/json" }),
      ...headers,
    },
  });
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = await once(sent, "response");
  let text = "";
  for await (const chunk of response) {
    text += String(chunk);
    if (until !== undefined && text.includes(until)) break;
  }
  sent.destroy();
  return { status: response.statusCode, headers: response.headers, text };
}
