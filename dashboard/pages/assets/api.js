/** A refusal of the server: its problem details. */
export class ApiError extends Error {
  constructor(problem) {
    super(problem.detail ?? problem.title ?? "the request failed");
    this.name = "ApiError";
    this.problem = problem;
    this.status = problem.status;
  }
}

export function goToLogin() {
  location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
}

async function call(method, path, { body, signal } = {}) {
  let response;
  try {
    response = await fetch(path, {
      method,
      signal,
      headers: { accept: "application/json", ...(body !== undefined && { "content-type": "application/json" }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError({ status: 0, code: "Offline", detail: "The dashboard does not answer. Is it still running?" });
  }
  if (response.status === 204) return undefined;
  const isJson = /json/.test(response.headers.get("content-type") ?? "");
  const answer = isJson ? await response.json() : { detail: await response.text() };
  if (response.ok) return answer;
  if (response.status === 401 && path !== "/api/session") goToLogin();
  throw new ApiError({ ...answer, status: response.status });
}

export const get = (path, signal) => call("GET", path, { signal });
export const post = (path, body, signal) => call("POST", path, { body: body ?? {}, signal });
export const remove = (path, signal) => call("DELETE", path, { signal });
