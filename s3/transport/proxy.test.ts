import { once } from "node:events";
import { createServer, request as send } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { call, openS3, pinOf } from "../../test/open-s3.ts";
import { loadProfiles } from "../../credentials/load-profiles.ts";

/** A forward proxy that alone knows where `store.invalid` is, and wants a password. */
async function startProxy(sandbox: string) {
  const seen: string[] = [];
  const server = createServer((incoming, outgoing) => {
    seen.push(`${incoming.method} ${incoming.url}`);
    if (incoming.headers["proxy-authorization"] !== `Basic ${btoa("worker:secret")}`) {
      outgoing.writeHead(407).end();
      return;
    }
    const target = new URL(incoming.url ?? "");
    const { method, headers } = incoming;
    const passed = send(
      `${sandbox}${target.pathname}${target.search}`,
      { method, headers, setHost: false },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
        answer.pipe(outgoing);
      },
    );
    incoming.pipe(passed);
  });
  server.on("connect", ({ url }, socket) => {
    seen.push(`CONNECT ${url}`);
    socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo; // a TCP server's address is never a string
  return { seen, url: (user: string) => `http://${user}@127.0.0.1:${port}` };
}

test.each([true, false])("goes through the proxy of the environment (fast path: %s)", async (fastPath) => {
  const { sandbox, connect } = await openS3();
  const { seen, url } = await startProxy(sandbox.endpoint);
  const proxy = { httpProxy: url("worker:secret"), httpsProxy: "", noProxy: "" };
  const s3 = connect({ endpoint: "http://store.invalid", proxy }, { fastPath });
  sandbox.put("in", "a", "content");
  expect((await s3.listPage({ bucket: "in" }, call)).objects).toHaveLength(1);
  await s3.copy({ source: pinOf(sandbox, "in", "a"), bucket: "out", key: "a" }, call);
  expect(sandbox.text("out", "a")).toBe("content");
  expect(seen.length).toBeGreaterThan(1);
  expect(seen.every((line) => line.includes("http://store.invalid/"))).toBe(true);
});

test("goes past the proxy to what NO_PROXY names, and tunnels https", async () => {
  const { sandbox, connect } = await openS3();
  const { seen, url } = await startProxy(sandbox.endpoint);
  sandbox.put("in", "a", "content");
  const proxy = { httpProxy: url("worker:secret"), httpsProxy: url("worker:secret"), noProxy: "127.0.0.1,.inside" };
  await connect({ proxy }).head({ bucket: "in", key: "a" }, call);
  expect(seen).toEqual([]);
  const secure = connect({ endpoint: "https://store.invalid", proxy }).head({ bucket: "in", key: "a" }, call);
  const error = await secure.catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: "NetworkError", retryable: true });
  expect(String(error)).not.toContain("secret");
  expect(new Set(seen)).toEqual(new Set(["CONNECT store.invalid:443"]));
});

test("says that the proxy wants another password, and tells none", async () => {
  const { sandbox, connect } = await openS3();
  const { url } = await startProxy(sandbox.endpoint);
  const proxy = { httpProxy: url("worker:wrong-one"), httpsProxy: "", noProxy: "" };
  const error = await connect({ endpoint: "http://store.invalid", proxy })
    .listPage({ bucket: "in" }, call)
    .catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: "ProxyAuthenticationRequired" });
  expect(String(error)).not.toContain("wrong-one");
});

test("reads the variables as curl does, in lower case first, and refuses what is no URL without quoting it", async () => {
  const env = { HTTPS_PROXY: "http://upper:1", https_proxy: "http://lower:2", NO_PROXY: "localhost" };
  const { connection } = await (await loadProfiles({ env })).resolve(undefined);
  expect(connection.proxy).toEqual({ httpProxy: "", httpsProxy: "http://lower:2", noProxy: "localhost" });
  const wrong = loadProfiles({ env: { HTTP_PROXY: "user:secret@proxy" } });
  await expect(wrong).rejects.toThrow(/HTTP_PROXY: expected the http or https URL of a proxy$/);
});
