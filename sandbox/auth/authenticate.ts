import { header, type Call } from "../http/call.ts";
import { DEFAULT_ACCOUNT, type SandboxCredential } from "../options.ts";
import { S3Error } from "../http/s3-error.ts";
import { readSignature, scopeOf, signedAt, signingKey, verifySignature, type Signature } from "./signature.ts";
import type { World } from "../storage/world.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html (RequestTimeTooSkewed) */
const MAX_SKEW_MS = 15 * 60 * 1000;

/**
 * Finds out who calls and writes it into the call.
 *
 * @throws S3Error AccessDenied (presigned and expired), InvalidAccessKeyId, ExpiredToken, InvalidToken, RequestTimeTooSkewed, SignatureDoesNotMatch
 */
export function authenticate(call: Call, world: World): void {
  const signature = readSignature(call);
  if (signature === undefined) {
    // Nobody: ACLs and policies may let them in. A form and a web identity prove themselves in their bodies.
    return;
  }
  const credential = findCredential(world, signature);
  call.account = credential.account ?? DEFAULT_ACCOUNT;
  call.accessKeyId = credential.accessKeyId;
  call.region = signature.region;
  if (signature.service !== (call.operation === "Sts" ? "sts" : "s3")) {
    throw new S3Error(
      "AuthorizationHeaderMalformed",
      `The authorization header is malformed; incorrect service "${signature.service}".`,
    );
  }
  if (!world.verifySignatures) return;
  checkTime(signature);
  if (call.operation !== "Sts") verifySignature(call, signature, credential.secretAccessKey);
  const payload = header(call, "x-amz-content-sha256");
  if (payload?.startsWith("STREAMING-AWS4-HMAC-SHA256-PAYLOAD")) {
    call.chunkSigning = {
      key: signingKey(credential.secretAccessKey, signature),
      date: signature.timestamp,
      scope: scopeOf(signature),
      seed: signature.signature,
    };
  }
}

/** The credential behind a signature, if it is still good. */
export function findCredential(world: World, signature: Signature): SandboxCredential {
  const credential = world.credentials.get(signature.accessKeyId);
  if (credential === undefined) {
    throw new S3Error("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", {
      elements: { AWSAccessKeyId: signature.accessKeyId },
    });
  }
  if (credential.expiresAt !== undefined && Date.now() >= credential.expiresAt) {
    throw new S3Error("ExpiredToken", "The provided token has expired.");
  }
  if (credential.sessionToken !== signature.sessionToken) {
    throw new S3Error("InvalidToken", "The provided token is malformed or otherwise invalid.");
  }
  return credential;
}

function checkTime(signature: Signature): void {
  const at = signedAt(signature);
  if (Number.isNaN(at))
    throw new S3Error("AccessDenied", "AWS authentication requires a valid Date or x-amz-date header");
  const now = Date.now();
  if (signature.expires !== undefined) {
    const end = at + signature.expires * 1000;
    if (now <= end) return;
    throw new S3Error("AccessDenied", "Request has expired", {
      elements: {
        "X-Amz-Expires": String(signature.expires),
        Expires: new Date(end).toISOString(),
        ServerTime: new Date(now).toISOString(),
      },
    });
  }
  if (Math.abs(now - at) > MAX_SKEW_MS) {
    throw new S3Error(
      "RequestTimeTooSkewed",
      "The difference between the request time and the current time is too large.",
      {
        elements: {
          RequestTime: signature.timestamp,
          ServerTime: new Date(now).toISOString(),
          MaxAllowedSkewMilliseconds: String(MAX_SKEW_MS),
        },
      },
    );
  }
}
