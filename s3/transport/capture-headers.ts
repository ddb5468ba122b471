import type { MiddlewareStack } from "@smithy/types";
import type { Headers } from "../requests/object-facts.ts";

/**
 * Has a command hand over the headers of its answer. Both paths read them with the same function, so they cannot differ in
 * what they understand; the SDK's parsed output also drops what it does not know.
 */
export function captureHeaders<Input extends object, Output extends object>(
  stack: MiddlewareStack<Input, Output>,
  onHeaders: (headers: Headers, status: number) => void,
): void {
  stack.add(
    (next) => async (args) => {
      const result = await next(args);
      // The deserializer's response is a raw HTTP answer, which the SDK leaves untyped.
      const response = result.response as { readonly headers: Headers; readonly statusCode: number };
      const { expiresstring, ...headers } = response.headers;
      // Where Expires is no date, the SDK takes it out and puts its text under this name.
      onHeaders(expiresstring === undefined ? headers : { ...headers, expires: expiresstring }, response.statusCode);
      return result;
    },
    { step: "deserialize", priority: "low", name: "captureHeaders", override: true },
  );
}
