import type { FastifyReply, FastifyRequest } from "fastify";

/**
 * Browsers take `__Host-` cookies over TLS from this very host alone: no other name of the same site can plant one. They belong to the
 * whole host, though: below a base, where neighbours live, cookies are sent to the base alone, and `__Secure-` is what is left.
 */
const PREFIX = { root: "__Host-", below: "__Secure-" } as const;
const SESSION = "bucketline_session";
const FLOW = "bucketline_oidc";
const DEVICE = "bucketline_device";
const DEVICE_DAYS = 90;

/** Whether the browser speaks TLS: by our connection, a trusted proxy's word, or the page that it says it comes from. */
export function isSecure(request: FastifyRequest): boolean {
  return request.protocol === "https" || request.headers.origin?.startsWith("https://") === true;
}

/** The session that a request shows. Where TLS is certain, a plain cookie may be somebody else's and is not looked at. */
export function sessionIdOf(request: FastifyRequest): string | undefined {
  return read(request, SESSION);
}

/** What a browser was given when somebody signed in well with it. */
export function deviceOf(request: FastifyRequest): string | undefined {
  return read(request, DEVICE);
}

export function setSession(request: FastifyRequest, reply: FastifyReply, id: string, hours: number): void {
  write(request, reply, SESSION, { value: id, maxAge: hours * 3600 });
}

export function setDevice(request: FastifyRequest, reply: FastifyReply, device: string): void {
  write(request, reply, DEVICE, { value: device, maxAge: DEVICE_DAYS * 86_400 });
}

/** While somebody is at the provider: it is sent along when they come back, from another site. */
export function setFlow(request: FastifyRequest, reply: FastifyReply, flow: string, seconds: number): void {
  write(request, reply, FLOW, { value: flow, maxAge: seconds, sameSite: "lax" });
}

export function flowOf(request: FastifyRequest): string | undefined {
  return read(request, FLOW);
}

export function clearFlow(request: FastifyRequest, reply: FastifyReply): void {
  const secured = securedName(request, FLOW);
  for (const name of [FLOW, secured])
    if (request.cookies[name] !== undefined)
      reply.clearCookie(name, { path: pathOf(request), secure: name === secured });
}

/** Takes the session's cookie back, under either name. */
export function clearSession(request: FastifyRequest, reply: FastifyReply): void {
  const path = pathOf(request);
  const secured = securedName(request, SESSION);
  if (request.cookies[SESSION] !== undefined) reply.clearCookie(SESSION, { path });
  if (request.cookies[secured] !== undefined) reply.clearCookie(secured, { path, secure: true });
}

function securedName({ base }: FastifyRequest, name: string): string {
  return (base === "" ? PREFIX.root : PREFIX.below) + name;
}

function pathOf({ base }: FastifyRequest): string {
  return `${base}/`;
}

function read(request: FastifyRequest, name: string): string | undefined {
  const secured = request.cookies[securedName(request, name)];
  return secured ?? (request.protocol === "https" ? undefined : request.cookies[name]);
}

function write(
  request: FastifyRequest,
  reply: FastifyReply,
  name: string,
  {
    value,
    maxAge,
    sameSite = "strict",
  }: { readonly value: string; readonly maxAge: number; readonly sameSite?: "strict" | "lax" },
): void {
  const secure = isSecure(request);
  reply.setCookie(secure ? securedName(request, name) : name, value, {
    path: pathOf(request),
    httpOnly: true,
    sameSite,
    secure,
    maxAge,
  });
}
