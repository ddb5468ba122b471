import crypto, { randomBytes } from "node:crypto";
import { parseQuery, type Call } from "../http/call.ts";
import { findCredential } from "../auth/authenticate.ts";
import { DEFAULT_ACCOUNT, type SandboxCredential } from "../options.ts";
import type { Reply } from "../http/reply.ts";
import { receiveDocument } from "../http/receive-body.ts";
import { S3Error } from "../http/s3-error.ts";
import { readSignature, verifySignature } from "../auth/signature.ts";
import type { World } from "../storage/world.ts";
import { element } from "../http/xml.ts";

const NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/";

/** The security token service: https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html */
export async function sts(call: Call, world: World): Promise<Reply> {
  const body = await receiveDocument(call);
  const form = parseQuery(body.toString("utf8"));
  const action = form.get("Action") ?? "";
  try {
    const caller = action === "AssumeRoleWithWebIdentity" ? undefined : signedBy(call, world, body);
    return answer(call, action, perform(action, form, world, caller));
  } catch (error) {
    if (!(error instanceof S3Error)) throw error;
    return refusal(call, error);
  }
}

function perform(
  action: string,
  form: ReadonlyMap<string, string>,
  world: World,
  caller: SandboxCredential | undefined,
): string {
  switch (action) {
    case "AssumeRole":
      return assumeRole(form, world);
    case "AssumeRoleWithWebIdentity":
      return assumeRoleWithWebIdentity(form, world);
    case "GetCallerIdentity": {
      const account = caller?.account ?? DEFAULT_ACCOUNT;
      return (
        element("Arn", caller?.arn ?? `arn:aws:iam::${account}:user/sandbox`) +
        element("UserId", caller?.accessKeyId) +
        element("Account", account)
      );
    }
    default:
      throw new S3Error("InvalidAction", `Could not find operation ${action} for version 2011-06-15`);
  }
}

function signedBy(call: Call, world: World, body: Buffer): SandboxCredential {
  const signature = readSignature(call);
  if (signature === undefined)
    throw new S3Error("MissingAuthenticationToken", "Request is missing Authentication Token", { status: 403 });
  const credential = findCredential(world, signature);
  if (world.verifySignatures)
    verifySignature(call, { ...signature, payloadHash: crypto.hash("sha256", body) }, credential.secretAccessKey);
  return credential;
}

function assumeRole(form: ReadonlyMap<string, string>, world: World): string {
  const { arn, sessionName } = roleOf(form);
  const role = world.roles?.find((one) => one.arn === arn);
  const refused =
    world.roles !== undefined &&
    (role === undefined || (role.externalId !== undefined && role.externalId !== form.get("ExternalId")));
  if (refused)
    throw new S3Error("AccessDenied", `User is not authorized to perform: sts:AssumeRole on resource: ${arn}`);
  return issue(form, world, arn, sessionName);
}

function assumeRoleWithWebIdentity(form: ReadonlyMap<string, string>, world: World): string {
  const { arn, sessionName } = roleOf(form);
  const token = form.get("WebIdentityToken") ?? "";
  const role = world.roles?.find((one) => one.arn === arn);
  if (world.roles !== undefined && role === undefined)
    throw new S3Error("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity");
  if (token === "" || (role?.webIdentityToken !== undefined && role.webIdentityToken !== token)) {
    throw new S3Error("InvalidIdentityToken", "The web identity token that was passed is not valid");
  }
  return issue(form, world, arn, sessionName) + element("SubjectFromWebIdentityToken", "sandbox");
}

function roleOf(form: ReadonlyMap<string, string>): { arn: string; sessionName: string } {
  const arn = form.get("RoleArn") ?? "";
  const sessionName = form.get("RoleSessionName") ?? "";
  if (!/^arn:aws[a-z-]*:iam::\d{12}:role\/.+/.test(arn)) throw new S3Error("ValidationError", `${arn} is invalid`);
  if (!/^[\w+=,.@-]{2,64}$/.test(sessionName))
    throw new S3Error(
      "ValidationError",
      `1 validation error detected: Value '${sessionName}' at 'roleSessionName' failed to satisfy constraint`,
    );
  return { arn, sessionName };
}

type IssuedCredential = Required<Omit<SandboxCredential, "displayName" | "email">>;

// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html: 900 seconds to 12 hours, default one hour
function issue(form: ReadonlyMap<string, string>, world: World, roleArn: string, sessionName: string): string {
  const asked = Number(form.get("DurationSeconds") ?? 3600);
  if (!(asked >= 900 && asked <= 43_200))
    throw new S3Error(
      "ValidationError",
      `1 validation error detected: Value '${asked}' at 'durationSeconds' failed to satisfy constraint`,
    );
  const seconds = Math.min(asked, world.maxSessionSeconds ?? asked);
  const [account, role] = [roleArn.split(":")[4]!, roleArn.slice(roleArn.indexOf(":role/") + 6)];
  const id = randomBytes(8).toString("hex").toUpperCase();
  const credential: IssuedCredential = {
    accessKeyId: `ASIA${id}`,
    secretAccessKey: randomBytes(30).toString("base64"),
    sessionToken: randomBytes(96).toString("base64"),
    account,
    expiresAt: Date.now() + seconds * 1000,
    arn: `arn:aws:sts::${account}:assumed-role/${role}/${sessionName}`,
  };
  world.credentials.set(credential.accessKeyId, credential);
  return (
    `<AssumedRoleUser>${element("AssumedRoleId", `AROA${id}:${sessionName}`)}${element("Arn", credential.arn)}</AssumedRoleUser>` +
    `<Credentials>${element("AccessKeyId", credential.accessKeyId)}${element("SecretAccessKey", credential.secretAccessKey)}` +
    `${element("SessionToken", credential.sessionToken)}${element("Expiration", new Date(credential.expiresAt).toISOString())}</Credentials>`
  );
}

function answer(call: Call, action: string, result: string): Reply {
  const body = `<${action}Response xmlns="${NAMESPACE}"><${action}Result>${result}</${action}Result><ResponseMetadata>${element("RequestId", call.requestId)}</ResponseMetadata></${action}Response>`;
  return { status: 200, headers: ["Content-Type", "text/xml", "x-amzn-RequestId", call.requestId], body };
}

function refusal(call: Call, error: S3Error): Reply {
  const body = `<ErrorResponse xmlns="${NAMESPACE}"><Error><Type>Sender</Type>${element("Code", error.code)}${element("Message", error.message)}</Error>${element("RequestId", call.requestId)}</ErrorResponse>`;
  return { status: error.status, headers: ["Content-Type", "text/xml", "x-amzn-RequestId", call.requestId], body };
}
