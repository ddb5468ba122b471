import type { FastifyReply, FastifyRequest } from "fastify";

/** Browsers take `__Host-` cookies over TLS from this very host alone: no other name of the same site can plant one. */
const SECURE_PREFIX = "__Host-";
const SESSION = "bucketline_session";
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

/** Takes the session's cookie back, under either name. */
export function clearSession(request: FastifyRequest, reply: FastifyReply): void {
  if (request.cookies[SESSION] !== undefined) reply.clearCookie(SESSION, { path: "/" });
  if (request.cookies[SECURE_PREFIX + SESSION] !== undefined)
    reply.clearCookie(SECURE_PREFIX + SESSION, { path: "/", secure: true });
}

function read(request: FastifyRequest, name: string): string | undefined {
  const secured = request.cookies[SECURE_PREFIX + name];
  return secured ?? (request.protocol === "https" ? undefined : request.cookies[name]);
}

function write(
  request: FastifyRequest,
  reply: FastifyReply,
  name: string,
  { value, maxAge }: { readonly value: string; readonly maxAge: number },
): void {
  const secure = isSecure(request);
  reply.setCookie(secure ? SECURE_PREFIX + name : name, value, {
    path: "/",
    httpOnly: true,
    sameSite: "strict",
    secure,
    maxAge,
  });
}
