import { accessDenied, findBucket, openBucket } from "../../auth/access.ts";
import { header, type Call } from "../../http/call.ts";
import { receiveDocument } from "../../http/receive-body.ts";
import { emptyReply, xmlReply, type Reply } from "../../http/reply.ts";
import { S3Error } from "../../http/s3-error.ts";
import { childText, element, malformed, parseXml, xmlDocument, type XmlElement } from "../../http/xml.ts";
import type { CorsRule } from "../../storage/bucket-settings.ts";
import type { World } from "../../storage/world.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketCors.html */
export function getBucketCors(call: Call, world: World): Reply {
  const { cors } = openBucket(world, call).settings;
  if (cors === undefined) {
    throw new S3Error("NoSuchCORSConfiguration", "The CORS configuration does not exist", {
      status: 404,
      elements: { BucketName: call.bucket },
    });
  }
  return xmlReply(xmlDocument("CORSConfiguration", cors.map(ruleElement).join("")));
}

function elements(name: string, values: readonly string[]): string {
  return values.map((value) => element(name, value)).join("");
}

function ruleElement(rule: CorsRule): string {
  return `<CORSRule>${element("ID", rule.id)}${elements("AllowedHeader", rule.headers)}${elements("AllowedMethod", rule.methods)}${elements("AllowedOrigin", rule.origins)}${elements("ExposeHeader", rule.exposed)}${element("MaxAgeSeconds", rule.maxAgeSeconds)}</CORSRule>`;
}

export async function putBucketCors(call: Call, world: World): Promise<Reply> {
  openBucket(world, call);
  const rules = parseXml(await receiveDocument(call), "CORSConfiguration").children.get("CORSRule") ?? [];
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketCors.html: up to 100 rules
  if (rules.length === 0 || rules.length > 100) throw malformed();
  openBucket(world, call).settings.cors = rules.map(readRule);
  return emptyReply(200);
}

function readRule(rule: XmlElement): CorsRule {
  const list = (name: string) => (rule.children.get(name) ?? []).map((one) => one.text);
  const [origins, methods] = [list("AllowedOrigin"), list("AllowedMethod")];
  if (origins.length === 0 || methods.length === 0) throw malformed();
  const unknown = methods.find((method) => !["GET", "PUT", "POST", "DELETE", "HEAD"].includes(method));
  if (unknown !== undefined) {
    throw new S3Error(
      "InvalidRequest",
      `Found unsupported HTTP method in CORS config. Unsupported method is ${unknown}`,
    );
  }
  const age = childText(rule, "MaxAgeSeconds");
  return {
    id: childText(rule, "ID"),
    origins,
    methods,
    headers: list("AllowedHeader"),
    exposed: list("ExposeHeader"),
    maxAgeSeconds: age === undefined ? undefined : Number(age),
  };
}

export function deleteBucketCors(call: Call, world: World): Reply {
  delete openBucket(world, call).settings.cors;
  return emptyReply(204);
}

/** OPTIONS: may a page of that origin send that request? Needs no signature. https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html */
export function preflight(call: Call, world: World): Reply {
  const [origin, method] = [header(call, "origin"), header(call, "access-control-request-method")];
  if (origin === undefined || method === undefined) {
    throw new S3Error("BadRequest", "Insufficient information. Origin request header needed.");
  }
  if (call.bucket === "") throw accessDenied();
  const asked = (header(call, "access-control-request-headers") ?? "")
    .split(",")
    .map((one) => one.trim().toLowerCase());
  const rule = findBucket(world, call.bucket).settings.cors?.find(
    (one) =>
      allows(one, origin, method) &&
      asked.every((name) => name === "" || one.headers.some((pattern) => fits(pattern.toLowerCase(), name))),
  );
  if (rule === undefined) {
    throw new S3Error("AccessForbidden", "CORSResponse: This CORS request is not allowed.", { status: 403 });
  }
  const headers = corsHeadersOf(rule, origin);
  if (asked.some((name) => name !== "")) headers.push("Access-Control-Allow-Headers", asked.join(", "));
  if (rule.maxAgeSeconds !== undefined) headers.push("Access-Control-Max-Age", String(rule.maxAgeSeconds));
  return emptyReply(200, headers);
}

/** What an answer tells the browser that asked from another origin. */
export function corsHeaders(call: Call, world: World): string[] {
  const origin = header(call, "origin");
  if (origin === undefined) return [];
  const rules = world.buckets.get(call.bucket)?.settings.cors;
  const method = header(call, "access-control-request-method") ?? call.method;
  const rule = rules?.find((one) => allows(one, origin, method));
  return rule === undefined ? [] : corsHeadersOf(rule, origin);
}

function corsHeadersOf(rule: CorsRule, origin: string): string[] {
  const any = rule.origins.includes("*");
  const headers = [
    "Access-Control-Allow-Origin",
    any ? "*" : origin,
    "Access-Control-Allow-Methods",
    rule.methods.join(", "),
  ];
  if (rule.exposed.length > 0) headers.push("Access-Control-Expose-Headers", rule.exposed.join(", "));
  if (!any) headers.push("Access-Control-Allow-Credentials", "true");
  headers.push("Vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method");
  return headers;
}

function allows(rule: CorsRule, origin: string, method: string): boolean {
  return rule.methods.includes(method) && rule.origins.some((pattern) => fits(pattern, origin));
}

/** At most one `*` in a pattern. */
function fits(pattern: string, text: string): boolean {
  const star = pattern.indexOf("*");
  if (star < 0) return pattern === text;
  const end = pattern.slice(star + 1);
  return text.length >= pattern.length - 1 && text.startsWith(pattern.slice(0, star)) && text.endsWith(end);
}
