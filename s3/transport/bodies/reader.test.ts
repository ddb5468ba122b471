import { getEventListeners, once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { call, connectionTo, errorOf, openS3 } from "../../../test/open-s3.ts";
import { startSandbox } from "../../../sandbox/index.ts";
import { createStore, type S3Options } from "../../store.ts";
import type { BodyReader, BodyRequest } from "./reader.ts";

const request: BodyRequest = {
  bucket: "in",
  key: "a",
  query: {},
  headers: { range: "bytes=0-4" },
  about: { operation: "GetObject", bucket: "in", key: "a" },
};

async function openReader(listener: RequestListener, options: S3Options = {}) {
  const sandbox = await startSandbox();
  onTestFinished(() => sandbox.close());
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  let connections = 0;
  server.on("connection", () => (connections += 1));
  const { port } = server.address() as AddressInfo; // a TCP server's address is never a string
  const store = createStore(connectionTo(sandbox, { endpoint: `http://127.0.0.1:${port}` }), options);
  onTestFinished(() => {
    store.bodies?.close();
    server.closeAllConnections();
    server.close();
  });
  if (store.bodies === undefined) throw new Error("expected a reader");
  return { server, bodies: store.bodies, connections: () => connections };
}

const hello: RequestListener = (_, response) => void response.writeHead(206, { "content-length": 5 }).end("hello");

async function textOf(bodies: BodyReader, signal = call.signal): Promise<string | undefined> {
  const answer = await bodies.get(request, { signal });
  if (answer === undefined) return undefined;
  let text = "";
  for await (const piece of answer.pieces) text += piece.toString();
  return text;
}

test("asks over a connection that was kept, and over another one where that was closed meanwhile", async () => {
  const { bodies, server, connections } = await openReader(hello);
  expect([await textOf(bodies), await textOf(bodies), connections()]).toEqual(["hello", "hello", 1]);
  server.closeAllConnections();
  expect([await textOf(bodies), connections()]).toEqual(["hello", 2]);
});

test("opens no more connections than it may, and lets whoever waits go on or give up", async () => {
  const { bodies, connections } = await openReader(hello, { maxSockets: 2 });
  const controller = new AbortController();
  const [first, second] = await Promise.all([bodies.get(request, call), bodies.get(request, call)]);
  const waiting = textOf(bodies);
  const given = textOf(bodies, controller.signal);
  const reason = new Error("enough");
  controller.abort(reason);
  await expect(given).rejects.toBe(reason);
  first?.drop();
  expect(await waiting).toBe("hello");
  second?.drop();
  expect(connections()).toBe(3);
});

test("raises what a busy store says at once, and leaves every other refusal to the SDK", async () => {
  const code = "<Error><Code>SlowDown</Code><Message>Reduce</Message></Error>";
  const busy = await openReader(
    (_, response) => void response.writeHead(503, { "content-length": code.length }).end(code),
  );
  expect(await errorOf(textOf(busy.bodies))).toMatchObject({ code: "SlowDown", retryable: true });
  for (const status of [301, 403, 404, 412, 500]) {
    const { bodies } = await openReader(
      (_, response) => void response.writeHead(status, { "content-length": 1 }).end("x"),
    );
    expect(await textOf(bodies)).toBeUndefined();
  }
  const chunked = await openReader((_, response) => void response.writeHead(200).end("x"));
  chunked.server.close();
  expect(await textOf(chunked.bodies)).toBeUndefined();
});

test("asks a busy store over the same connection again, so that none is used up", async () => {
  const { bodies, connections } = await openReader(
    (_, response) => void response.writeHead(503, { "content-length": 29 }).end("<Error><Code>SlowDown</Code>x"),
    { maxSockets: 1 },
  );
  for (let times = 0; times < 3; times++)
    expect(await errorOf(textOf(bodies, AbortSignal.timeout(5000)))).toMatchObject({ code: "SlowDown" });
  expect(connections()).toBe(1);
});

test("lets go of its caller's signal once it was its turn", async () => {
  const { bodies } = await openReader(hello, { maxSockets: 1 });
  const first = await bodies.get(request, call);
  const { signal } = new AbortController();
  const waiting = textOf(bodies, signal);
  await expect.poll(() => getEventListeners(signal, "abort").length).toBe(1);
  first?.drop();
  expect(await waiting).toBe("hello");
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

test("sends nothing that would be a header of its own", async () => {
  const { bodies, connections } = await openReader(hello);
  const forged = { ...request, headers: { "if-match": '"a"\r\nx-amz-acl: public-read' } };
  expect(await bodies.get(forged, call)).toBeUndefined();
  expect(connections()).toBeLessThanOrEqual(1);
});

test("signs as the store wants it, key and version encoded", async () => {
  const { sandbox } = await openS3({ sandbox: { verifySignatures: true } });
  const key = "ü +%&<\"'/a b";
  sandbox.put("in", key, "hello");
  const store = createStore(connectionTo(sandbox), {});
  onTestFinished(() => store.bodies?.close());
  const answer = await store.bodies?.get({ ...request, key }, call);
  expect(answer).toMatchObject({ status: 206, headers: { "content-range": "bytes 0-4/5" } });
  answer?.drop();
});
