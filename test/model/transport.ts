import type { S3Client } from "@aws-sdk/client-s3";
import type { Connection } from "../../credentials/connection.ts";
import { toActivityError } from "../../s3/error-mapping.ts";
import type { FastAnswer, FastCall, FastPath } from "../../s3/transport/fast-path.ts";
import { createStore, type Store } from "../../s3/store.ts";
import { actorNow } from "./actor.ts";
import type { Generation, Place } from "./generation.ts";
import { type ModelStore, Refused } from "./store.ts";
import { Busy, ConnectionLost, type World } from "./world.ts";

type Headers = Record<string, string>;
type Answer = { readonly status: number; readonly headers: Headers; readonly output: object };

/** One request to the store: what it is called, and what it works on, so that a look before it is none for what comes next. */
type Request = {
  readonly operation: string;
  readonly place: Place;
  readonly touches: readonly Place[];
  readonly effect: () => Answer;
};

const opened = new WeakMap<Connection, Map<string, Store>>();

/** One for each worker process, as there: what it learned and remembers of a store is its own. */
function storeOf(connection: Connection): Store {
  const byWorker = opened.get(connection) ?? new Map<string, Store>();
  opened.set(connection, byWorker);
  const worker = actorNow()?.name ?? "";
  const store = byWorker.get(worker) ?? createStore(connection, { fastPath: false });
  byWorker.set(worker, store);
  return store;
}

/** In whose name a request is sent: a worker's, for a job, with what the job may overwrite. */
export type Sender = { readonly by: string };

type Ask = (request: Request, signal?: AbortSignal) => Promise<Answer>;

/** The S3 room's own code over a store of the model: each request is a step of the scheduler. */
export function openModelS3(connection: Connection, world: World, model: ModelStore, sender: Sender): Store {
  const store = storeOf(connection);
  const ask: Ask = async ({ operation, place, touches, effect }, signal) => {
    const sent = model.witness.sends(sender.by, operation, touches);
    const name = `${sender.by} ${operation} ${place.bucket}/${place.key}`;
    try {
      const answer = await world.perform("store", name, () => model.witness.during(sent, effect), signal);
      model.witness.heard(sent);
      return answer;
    } catch (error) {
      // That nothing is there is an answer too.
      if (error instanceof Refused) model.witness.heard(sent);
      throw error;
    }
  };
  const client = (tries: number) => sdkClient(ask, (command) => served(command, model, sender), tries);
  return {
    ...store,
    fast: fastPath(ask, (request) => fastRequest(request, model, sender)),
    seenBuckets: { has: () => true, add: () => undefined, delete: () => undefined } as unknown as Store["seenBuckets"], // every bucket of the model is there
    clients: {
      forRegion: () => client(2),
      forRegionOnce: () => client(1),
      forPresigning: () => client(1),
      close: () => undefined,
    },
  };
}

function sdkClient(ask: Ask, requestOf: (command: Command) => Request, tries: number): S3Client {
  const send = async (command: Command, { abortSignal }: { abortSignal?: AbortSignal } = {}): Promise<object> => {
    const request = requestOf(command);
    for (let attempt = 1; ; attempt += 1) {
      try {
        const answer = await ask(request, abortSignal);
        const response = { headers: answer.headers, statusCode: answer.status };
        const through = command.middlewareStack.resolve(() => Promise.resolve({ response, output: answer.output }), {});
        const { output } = await through({ input: command.input });
        return { ...output, $metadata: { httpStatusCode: answer.status, attempts: attempt } };
      } catch (error) {
        if (!(error instanceof ConnectionLost) || attempt >= tries) throw withAttempts(error, attempt);
      }
    }
  };
  return { send } as unknown as S3Client; // all that the S3 room asks of it
}

function fastPath(ask: Ask, requestOf: (request: Parameters<FastPath["send"]>[0]) => Request | undefined): FastPath {
  return {
    close: () => Promise.resolve(),
    async send(request, call): Promise<FastAnswer> {
      const asked = requestOf(request);
      if (asked === undefined) return { outcome: "refused" };
      try {
        const { headers, output } = await ask(asked, call.signal);
        return { outcome: "done", headers, body: "body" in output ? String(output.body) : "" };
      } catch (error) {
        if (call.signal.aborted) throw call.signal.reason;
        if (error instanceof Busy) throw toActivityError(error, request.about);
        if (error instanceof Refused)
          return { outcome: "refused", status: error.$metadata.httpStatusCode, requestId: "model" };
        return { outcome: "unknown" };
      }
    },
  };
}

function withAttempts(error: unknown, attempts: number): unknown {
  if (error instanceof Refused) return Object.assign(error, { $metadata: { ...error.$metadata, attempts } });
  return error;
}

type Field =
  | "Bucket"
  | "ContinuationToken"
  | "CopySource"
  | "CopySourceIfMatch"
  | "IfMatch"
  | "IfNoneMatch"
  | "Key"
  | "MaxKeys"
  | "Prefix"
  | "StartAfter"
  | "VersionId";

type Named = { readonly Key: string; readonly VersionId?: string; readonly ETag?: string };

/** What the model reads of commands: texts, numbers, and what a bulk delete names. */
type Input = {
  readonly [Name in Field]?: string | number;
} & { readonly Delete?: { readonly Objects: readonly Named[] } };

/** A command of the SDK, as far as the model runs it: its input, and the middleware that reads the headers. */
type Command = {
  readonly input: Input;
  readonly middlewareStack: {
    resolve(handler: () => Promise<unknown>, context: unknown): (args: unknown) => Promise<{ readonly output: object }>;
  };
};

const quoted = (etag: string): string => `"${etag}"`;
const bare = (etag: unknown): string | undefined => (typeof etag === "string" ? etag.replaceAll('"', "") : undefined);

function headersOf(one: Generation): Headers {
  return {
    etag: quoted(one.etag),
    "last-modified": new Date(Math.floor(one.modified / 1000) * 1000).toUTCString(),
    "content-length": String(one.size),
    "x-amz-request-id": "model",
    ...(one.versionId !== undefined && { "x-amz-version-id": one.versionId }),
  };
}

function copyFrom(source: string, ifMatch: string | undefined) {
  const [path = "", query] = source.split("?versionId=");
  const [bucket = "", ...rest] = path.replace(/^\//, "").split("/");
  return { from: { bucket, key: decodeURIComponent(rest.join("/")) }, versionId: query, ifMatch };
}

function served({ constructor, input }: Command, model: ModelStore, { by }: Sender): Request {
  const operation = constructor.name.replace("Command", "");
  const place: Place = { bucket: String(input.Bucket), key: String(input.Key ?? "") };
  const versionId = input.VersionId as string | undefined; // the commands' own type
  const effects: Record<string, () => Answer> = {
    HeadObject: () => ({ status: 200, headers: headersOf(model.head(place, versionId)), output: {} }),
    GetObject: () => ({ status: 206, headers: headersOf(model.head(place, versionId)), output: {} }),
    HeadBucket: () => ({ status: 200, headers: {}, output: {} }),
    GetBucketVersioning: () => ({
      status: 200,
      headers: {},
      output: model.versioning === "off" ? {} : { Status: model.versioning === "on" ? "Enabled" : "Suspended" },
    }),
    CopyObject: () => {
      const to = place;
      const made = model.copy(
        {
          ...copyFrom(String(input.CopySource), bare(input.CopySourceIfMatch)),
          to,
          ifNoneMatch: input.IfNoneMatch === "*",
        },
        by,
      );
      return {
        status: 200,
        headers: headersOf(made),
        output: {
          CopyObjectResult: { ETag: quoted(made.etag) },
          ...(made.versionId !== undefined && { VersionId: made.versionId }),
        },
      };
    },
    DeleteObject: () => {
      model.delete(place, { versionId, ifMatch: bare(input.IfMatch) }, by);
      return { status: 204, headers: {}, output: {} };
    },
    DeleteObjects: () => ({ status: 200, headers: {}, output: bulkDelete(model, place.bucket, input, by) }),
    ListObjectsV2: () => ({ status: 200, headers: {}, output: listing(model, place.bucket, input) }),
  };
  const effect = effects[operation];
  if (effect === undefined) throw new TypeError(`the model has no ${operation}`);
  const touches =
    operation === "DeleteObjects"
      ? (input.Delete?.Objects ?? []).map(({ Key }) => ({ bucket: place.bucket, key: Key }))
      : operation === "DeleteObject"
        ? [place]
        : operation === "CopyObject"
          ? [place, copyFrom(String(input.CopySource), undefined).from]
          : [];
  return { operation, place, touches, effect };
}

function bulkDelete(model: ModelStore, bucket: string, input: Input, by: string): object {
  const { Objects = [] } = input.Delete ?? {};
  const Deleted: object[] = [];
  const Errors: object[] = [];
  for (const { Key, VersionId, ETag } of Objects) {
    try {
      model.delete({ bucket, key: Key }, { versionId: VersionId, ifMatch: bare(ETag), bulk: true }, by);
      Deleted.push({ Key, ...(VersionId !== undefined && { VersionId }) });
    } catch (error) {
      Errors.push({ Key, Code: error instanceof Error ? error.name : "InternalError" });
    }
  }
  return { Deleted, Errors };
}

function listing(model: ModelStore, bucket: string, input: Input): object {
  const after = String(input.ContinuationToken ?? input.StartAfter ?? "");
  const max = Number(input.MaxKeys ?? 1000);
  const { page, more } = model.list(bucket, { prefix: String(input.Prefix ?? ""), after, max });
  return {
    Name: bucket,
    IsTruncated: more,
    ...(more && { NextContinuationToken: page.at(-1)?.key }),
    Contents: page.map(({ key, object }) => ({
      Key: key,
      Size: object.size,
      ETag: quoted(object.etag),
      LastModified: new Date(object.modified),
      StorageClass: "STANDARD",
    })),
  };
}

/** What goes without the SDK; a listing's XML is for other tests. */
function fastRequest(
  { operation, bucket, key = "", query = {}, headers }: FastCall,
  model: ModelStore,
  { by }: Sender,
): Request | undefined {
  const place = { bucket, key };
  const { versionId } = query;
  const asked = (touches: readonly Place[], effect: () => Answer): Request => ({ operation, place, touches, effect });
  if (operation === "HeadObject")
    return asked([], () => ({ status: 200, headers: headersOf(model.head(place, versionId)), output: {} }));
  if (operation === "DeleteObject")
    return asked([place], () => {
      model.delete(place, { versionId, ifMatch: bare(headers["if-match"]) }, by);
      return { status: 204, headers: {}, output: {} };
    });
  if (operation !== "CopyObject") return undefined;
  const copied = copyFrom(headers["x-amz-copy-source"] ?? "", bare(headers["x-amz-copy-source-if-match"]));
  return asked([place, copied.from], () => {
    const made = model.copy({ ...copied, to: place, ifNoneMatch: headers["if-none-match"] === "*" }, by);
    const body = `<CopyObjectResult><ETag>${quoted(made.etag)}</ETag></CopyObjectResult>`;
    return { status: 200, headers: headersOf(made), output: { body } };
  });
}
