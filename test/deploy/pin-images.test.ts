import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";

type Pinned = { readonly image: string; readonly digest: string; readonly changed: boolean };
type PinImages = (options: { root: string; registry?: string; check?: boolean }) => Promise<readonly Pinned[]>;

const project = join(import.meta.dirname, "..", "..");
const plainJavaScript: { pinImages: PinImages } = await import(join(project, "scripts", "pin-images.js"));
const { pinImages } = plainJavaScript;

/** Docker Hub as strangers meet it: a token first, then the manifest that a tag names. */
type Hub = { readonly url: string; readonly asked: string[]; answer: (name: string, response: ServerResponse) => void };
let hub: Hub;
let root: string;

const manifestOf = (name: string): string => JSON.stringify({ schemaVersion: 2, manifests: [], name });
const digestOf = (text: string): string => `sha256:${createHash("sha256").update(text).digest("hex")}`;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "bucketline-images-"));
  for (const name of ["docker-compose.yml", "Dockerfile", "deploy"])
    cpSync(join(project, name), join(root, name), { recursive: true });
  const asked: string[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://hub");
    asked.push(pathname);
    if (pathname === "/token") {
      response.end(JSON.stringify({ token: `for ${searchParams.get("scope")}` }));
      return;
    }
    const [, name = "", tag = ""] = /^\/v2\/(.+)\/manifests\/(.+)$/.exec(pathname) ?? [];
    if (request.headers.authorization !== `Bearer for repository:${name}:pull`) {
      response.setHeader("www-authenticate", `Bearer realm="${hub.url}/token",service="hub"`);
      response.writeHead(401).end();
      return;
    }
    hub.answer(`${name}:${tag}`, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // it listens
  hub = { url: `http://127.0.0.1:${port}`, asked, answer: (name, response) => void response.end(manifestOf(name)) };
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
    rmSync(root, { recursive: true });
  });
});

const text = (name: string): string => readFileSync(join(root, name), "utf8");

test("every image of others is pinned to what its tag names, in every file, and stays so", async () => {
  const pinned = await pinImages({ root, registry: hub.url });
  const names = pinned.map(({ image }) => image.replace(/:.*/, ""));
  expect(names).toEqual(
    expect.arrayContaining(["redis", "node", "rustfs/rustfs", "prom/prometheus", "grafana/grafana"]),
  );
  for (const file of [
    "docker-compose.yml",
    "Dockerfile",
    "deploy/redis/compose.cluster.yml",
    "deploy/redis/kubernetes.sentinel.yaml",
  ]) {
    const images = [...text(file).matchAll(/^\s*(?:image:|FROM)\s+(\S+:\S+)/gm)].map(([, image]) => image ?? "");
    expect([file, images.length > 0]).toEqual([file, true]);
    for (const image of images) expect(image).toMatch(/^[^@]+:[^@]+@sha256:[0-9a-f]{64}$/);
  }
  const redis = /redis:\S+(?=@)/.exec(text("docker-compose.yml"))?.[0] ?? "";
  expect(text("docker-compose.yml")).toContain(`${redis}@${digestOf(manifestOf(`library/${redis}`))}`);
  expect(text("docker-compose.yml")).toMatch(/image: bucketline\n/);
  expect(parse(text("docker-compose.yml"))).toHaveProperty("services.redis.image");
  expect((await pinImages({ root, registry: hub.url, check: true })).filter(({ changed }) => changed)).toEqual([]);
});

test("a tag that names something else by now is told, and pinned anew", async () => {
  await pinImages({ root, registry: hub.url });
  hub.answer = (name, response) => void response.end(manifestOf(`${name} of today`));
  expect((await pinImages({ root, registry: hub.url, check: true })).every(({ changed }) => changed)).toBe(true);
  const before = text("Dockerfile");
  await pinImages({ root, registry: hub.url });
  expect(text("Dockerfile")).not.toBe(before);
});

test.each([
  ["has no such image", (response: ServerResponse) => response.writeHead(404).end(), /got 404/],
  [
    "says one digest and sends another manifest",
    (response: ServerResponse) => response.setHeader("docker-content-digest", digestOf("")).end("{}"),
    /expected the manifest of sha256:/,
  ],
  ["sends without an end", (response: ServerResponse) => response.end(Buffer.alloc(5 * 1024 * 1024)), /at most/],
])("nothing is written where the registry %s", async (_, refuse, why) => {
  const before = ["docker-compose.yml", "Dockerfile"].map(text);
  hub.answer = (name, response) =>
    void (name.startsWith("grafana/") ? refuse(response) : response.end(manifestOf(name)));
  await expect(pinImages({ root, registry: hub.url })).rejects.toThrow(why);
  expect(["docker-compose.yml", "Dockerfile"].map(text)).toEqual(before);
  await expect(pinImages({ root, registry: "http://127.0.0.1:9" })).rejects.toThrow(/127\.0\.0\.1:9 does not answer/);
});
