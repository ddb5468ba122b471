import type { MiddlewareStack } from "@smithy/types";

/**
 * Has a command signed for a body with this SHA-256 (hex), which the SDK cannot take of a stream. Not beside a checksum of the SDK's own, which
 * changes what is sent. https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export function signPayload<Input extends object, Output extends object>(
  stack: MiddlewareStack<Input, Output>,
  sha256: string,
): void {
  stack.add(
    (next) => (args) => {
      // The request as it is before it is signed; the SDK leaves it untyped.
      const request = args.request as { readonly headers: Record<string, string> };
      request.headers["x-amz-content-sha256"] = sha256;
      return next(args);
    },
    { step: "build", name: "signPayload", override: true },
  );
}
