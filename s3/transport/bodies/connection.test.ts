import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer as createPlain, type RequestListener } from "node:http";
import { createServer as createSecure } from "node:https";
import { type AddressInfo, createServer as createRaw, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { makeCertificates } from "../../../test/certificates.ts";
import { call, content, MIB } from "../../../test/open-s3.ts";
import { type Asked, BodyConnection } from "./connection.ts";
import { parseHead } from "./head.ts";

const SIZE = 5 * MIB + 17;

const asked: Asked = {
  head: "GET /in/a HTTP/1.1\r\nhost: store\r\n\r\n",
  about: { operation: "GetObject", bucket: "in", key: "a" },
  headersTimeoutMs: 5000,
  idleTimeoutMs: 5000,
  signal: call.signal,
};

async function connectTo(server: Server, protocol = "http"): Promise<BodyConnection> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // a TCP server's address is never a string
  const connection = new BodyConnection(new URL(`${protocol}://127.0.0.1:${port}`), 5000, () => undefined);
  onTestFinished(() => {
    connection.destroy();
    server.close();
  });
  return connection;
}

/** A server that sends these bytes as they are, whatever it is asked. */
async function connectToRaw(answer: (socket: Socket) => void): Promise<BodyConnection> {
  return await connectTo(createRaw((socket) => socket.on("error", () => undefined).once("data", () => answer(socket))));
}

/** Reads as a disk would, which takes its time with each piece and does not keep it. */
async function read(connection: BodyConnection, onPiece: () => Promise<unknown> = () => Promise.resolve()) {
  const got: Buffer[] = [];
  let error: unknown;
  try {
    for await (const piece of connection.pieces()) {
      await onPiece();
      got.push(Buffer.from(piece));
    }
  } catch (failure) {
    error = failure;
  }
  return { bytes: Buffer.concat(got), error };
}

const { bytes } = content(SIZE);
const serve: RequestListener = (_, response) => {
  response.writeHead(200, { "content-length": SIZE }).end(bytes);
};

function secureServer(): Server {
  const folder = mkdtempSync(join(tmpdir(), "bucketline-bodies-"));
  const { ca, server } = makeCertificates(folder);
  const before = getCACertificates("default");
  setDefaultCACertificates([...before, readFileSync(ca, "utf8")]);
  const secure = createSecure({ key: readFileSync(server.key), cert: readFileSync(server.cert) }, serve);
  rmSync(folder, { recursive: true });
  onTestFinished(() => setDefaultCACertificates(before));
  return secure;
}

test.each([
  ["http", () => createPlain(serve)],
  ["https", secureServer],
])(
  "receives whole bodies one after the other over one connection, for a slow reader too (%s)",
  async (protocol, make) => {
    const connection = await connectTo(make(), protocol);
    for (const pause of [() => Promise.resolve(), () => sleep(5)]) {
      expect(await connection.ask(asked)).toMatchObject({
        status: 200,
        size: SIZE,
        headers: { "content-length": String(SIZE) },
      });
      const { bytes: got, error } = await read(connection, pause);
      expect([error, got.equals(bytes), connection.isUsable]).toEqual([undefined, true, true]);
    }
  },
);

test("does not believe a server that no authority knows", async () => {
  const server = secureServer();
  setDefaultCACertificates(getCACertificates("bundled"));
  const connection = await connectTo(server, "https");
  await expect(connection.ask(asked)).rejects.toMatchObject({ code: expect.stringMatching(/CERT|UNABLE/) });
});

test.each([0, 10, MIB])("hands over the %i bytes that came before the store broke off", async (length) => {
  const connection = await connectToRaw((socket) => {
    socket.end(
      Buffer.concat([Buffer.from("HTTP/1.1 206 x\r\nContent-Length: 2000000\r\n\r\n"), bytes.subarray(0, length)]),
    );
  });
  await connection.ask(asked);
  const { bytes: got, error } = await read(connection);
  expect(got.equals(bytes.subarray(0, length))).toBe(true);
  expect(error).toMatchObject({ code: "IncompleteBody", retryable: true });
  expect(connection.isUsable).toBe(false);
});

test("takes no more than was promised, nor what nobody asked for", async () => {
  const longer = await connectToRaw((socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc"));
  await longer.ask(asked);
  expect((await read(longer)).error).toMatchObject({ code: "IncompleteBody" });
  const talking = await connectToRaw((socket) => {
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab");
    setTimeout(() => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nxx"), 20);
  });
  await talking.ask(asked);
  expect((await read(talking)).bytes.toString()).toBe("ab");
  await expect.poll(() => talking.isUsable).toBe(false);
});

test("gives up on a store that is silent while its reader waits, and never on a slow reader", async () => {
  const connection = await connectToRaw((socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"));
  await connection.ask({ ...asked, idleTimeoutMs: 50 });
  expect((await read(connection)).error).toMatchObject({ code: "Timeout", retryable: true });
  const patient = await connectTo(createPlain(serve));
  await patient.ask({ ...asked, idleTimeoutMs: 50 });
  let pieces = 0;
  const { bytes: got } = await read(patient, () => ((pieces += 1) < 3 ? sleep(120) : Promise.resolve()));
  expect(got.equals(bytes)).toBe(true);
  const mute = await connectToRaw(() => undefined);
  await expect(mute.ask({ ...asked, headersTimeoutMs: 50 })).rejects.toMatchObject({ code: "ETIMEDOUT" });
});

test("ends with the reason of whoever gave up, and hands over nothing any more", async () => {
  const connection = await connectTo(createPlain(serve));
  const controller = new AbortController();
  await connection.ask({ ...asked, signal: controller.signal });
  const reason = new Error("cancelled");
  const { error } = await read(connection, async () => controller.abort(reason));
  expect(error).toBe(reason);
  await expect(connection.ask(asked)).rejects.toBe(reason);
});

test.each([
  ["an answer that ends by chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ["one with two ends", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ["one without an end", "HTTP/1.1 200 OK\r\n\r\n"],
  ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n"],
  ["a length that is none", "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n"],
  ["a line that goes on", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nETag: a\r\n b\r\n\r\n"],
  ["a name with a space", "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\n"],
  ["a line break of its own", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nETag: a\nb\r\n\r\n"],
  ["what is no answer", "SSH-2.0-OpenSSH\r\n\r\n"],
  ["headers without an end", `HTTP/1.1 200 OK\r\nx: ${"y".repeat(40_000)}`],
])("leaves %s to the SDK", (_, text) => {
  expect(() => parseHead(Buffer.from(text, "latin1"))).toThrow(/^expected/);
});

test("reads a head as it comes, and what it says of the connection", () => {
  const text =
    'HTTP/1.1 206 Partial Content\r\nETag: "a"\r\nX-A:  1 \r\nx-a: 2\r\n__proto__: p\r\nConnection: Close\r\nContent-Length: 3\r\n\r\n';
  for (let length = 0; length < text.length; length += 1)
    expect(parseHead(Buffer.from(text.slice(0, length)))).toBeUndefined();
  const head = parseHead(Buffer.from(`${text}abc`, "latin1"));
  expect(head).toMatchObject({ status: 206, size: 3, length: text.length, staysOpen: false });
  expect(head?.headers).toMatchObject({ etag: '"a"', "x-a": "1, 2" });
});
