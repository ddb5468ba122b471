/** @import { Problem } from "../../answers.ts" */
import { base, to, within } from "./base.js";

/** A refusal of the server: its problem details. */
export class ApiError extends Error {
  /** @param {Problem} problem */
  constructor(problem) {
    super(problem.detail ?? problem.title ?? "the request failed");
    this.name = "ApiError";
    this.problem = problem;
    this.status = problem.status;
  }
}

/** Goes to the form, which comes back to here. */
export function goToLogin() {
  const here = (within(location.pathname) ?? "/") + location.search;
  location.assign(`${to("/login")}?next=${encodeURIComponent(here)}`);
}

/**
 * @param {string} method
 * @param {string} path below the base
 * @param {{ body?: unknown, signal?: AbortSignal | undefined, raw?: { type: string, body: Blob } }} options
 */
async function call(method, path, { body, signal, raw }) {
  /** @type {Record<string, string>} */
  const headers = { accept: "application/json" };
  if (body !== undefined) headers["content-type"] = "application/json";
  if (raw) headers["content-type"] = raw.type;
  const content = raw?.body ?? (body === undefined ? undefined : JSON.stringify(body));
  /** @type {Response} */
  let response;
  try {
    response = await fetch(base + path, {
      method,
      headers,
      ...(signal && { signal }),
      ...(content !== undefined && { body: content }),
    });
  } catch (error) {
    if (error instanceof Error && error.name === "AbortError") throw error;
    const detail = "The dashboard does not answer. Is it still running?";
    throw new ApiError({ status: 0, code: "Offline", detail });
  }
  if (response.status === 204) return undefined;
  const isJson = /json/.test(response.headers.get("content-type") ?? "");
  const answer = isJson ? await response.json() : { detail: await response.text() };
  if (response.ok) return answer;
  if (response.status === 401 && path !== "/api/session") goToLogin();
  throw new ApiError({ ...answer, status: response.status });
}

/**
 * What a route returns is checked against its schema by the server's tests; the caller names the type.
 * @param {string} path
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
export const get = (path, signal) => call("GET", path, { signal });
/**
 * @param {string} path
 * @param {unknown} [body]
 * @returns {Promise<any>}
 */
export const post = (path, body) => call("POST", path, { body: body ?? {} });
/**
 * @param {string} path
 * @param {unknown} [body]
 * @returns {Promise<any>}
 */
export const remove = (path, body) => call("DELETE", path, { body });
/**
 * Why something is done, for the record of who did what.
 * @param {string} path
 * @param {string} reason
 */
export const withReason = (path, reason) => (reason ? `${path}?${new URLSearchParams({ reason })}` : path);
/**
 * Sends a file as it is.
 * @param {string} path
 * @param {File} file
 * @returns {Promise<any>}
 */
export const upload = (path, file) => call("POST", path, { raw: { type: file.type || "text/plain", body: file } });
