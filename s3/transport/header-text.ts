import { Readable } from "node:stream";
import type { S3Client } from "@aws-sdk/client-s3";
import { headerBytes } from "../requests/attributes/table.ts";

/** What a signer takes for a space that may be cut or joined with others, and is none to HTTP. */
const OTHER_SPACE = /[^\S ]/;

const DISPOSITION = "content-disposition";

type Outgoing = { headers: Record<string, string>; body?: unknown };

/**
 * Has a client send headers as the text that they are: signed over their UTF-8 bytes, as S3 does, and sent as these bytes, where Node
 * refuses what is no Latin-1. `Expires` goes out as the text of `ExpiresString`; the SDK's own is a date.
 */
export function sendHeadersAsText({ middlewareStack }: S3Client): void {
  const unsigned = new WeakMap<object, Record<string, string>>();
  middlewareStack.add(
    (next, context) => async (args) => {
      const input = args.input as { readonly ExpiresString?: string; readonly ContentType?: string };
      const request = args.request as Outgoing; // an HTTP request, which the SDK leaves untyped
      // Parts of an upload are given the whole upload's input, and have no such header.
      if (input.ExpiresString !== undefined && context.commandName !== "UploadPartCommand")
        request.headers["expires"] = input.ExpiresString;
      // An object may have an empty type, for which the SDK would put one of its own.
      if (input.ContentType === "" && context.commandName !== "UploadPartCommand") request.headers["content-type"] = "";
      const aside: Record<string, string> = {};
      for (const [name, value] of Object.entries(request.headers)) {
        // S3 wants no others signed. https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
        if (name.startsWith("x-amz-") || !OTHER_SPACE.test(value)) continue;
        aside[name] = value;
        delete request.headers[name];
      }
      unsigned.set(context, aside);
      return await next(args);
    },
    { step: "build", priority: "low", name: "headerText", override: true },
  );
  middlewareStack.add(
    (next, context) => async (args) => {
      const request = args.request as Outgoing;
      const all: Record<string, string> = { ...request.headers, ...unsigned.get(context) };
      // After Content-Length, Node encodes this one once more.
      const { [DISPOSITION]: disposition, ...others } = all;
      const headers: Record<string, string> = {
        ...(disposition !== undefined && { [DISPOSITION]: disposition }),
        ...others,
      };
      let beyondAscii = false;
      for (const [name, value] of Object.entries(headers)) {
        headers[name] = headerBytes(value);
        beyondAscii ||= headers[name] !== value;
      }
      if (beyondAscii) {
        // Node sends headers that wait for a "100 Continue" encoded once more, and Content-Disposition where it has the body at hand.
        delete headers["Expect"];
        if (request.body instanceof Uint8Array) request.body = Readable.from([request.body]);
      }
      // Changed in place: it is this attempt's own copy, and the handler reads its other parts by methods.
      request.headers = headers;
      return await next(args);
    },
    { step: "deserialize", priority: "low", name: "headerBytes", override: true },
  );
}
