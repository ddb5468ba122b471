import { ApiError, get, post } from "./core/api.js";
import { to } from "./core/base.js";
import { messageOf } from "./core/dialogs.js";

const form = /** @type {HTMLFormElement} */ (document.getElementById("login"));
const problem = /** @type {HTMLElement} */ (document.getElementById("problem"));
const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
const field = (/** @type {string} */ name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name));

/** The place within the dashboard that `next` asks for, with its dots resolved: anything else would send a freshly signed-in user wherever a link says. */
function next() {
  const wanted = new URLSearchParams(location.search).get("next") ?? "/";
  const url =
    wanted.startsWith("/") && URL.canParse(wanted, location.origin) ? new URL(wanted, location.origin) : undefined;
  if (url?.origin !== location.origin) return "/";
  // A path may begin with `//` once its dots are gone, and would then name another host.
  return url.pathname.replace(/^\/+/, "/") + url.search + url.hash;
}

// A link from elsewhere comes without the strict cookie: whoever is signed in goes on from here.
try {
  const session = await get("/api/session");
  if (session.signedIn) location.replace(to(next()));
} catch (error) {
  problem.textContent = messageOf(error);
}

async function signIn() {
  problem.textContent = "";
  const name = field("name").value;
  const password = field("password").value;
  if (!name || !password) {
    problem.textContent = "Enter your name and your password.";
    field(name ? "password" : "name").focus();
    return;
  }
  button.disabled = true;
  try {
    await post("/api/session", { name, password });
    location.replace(to(next()));
  } catch (error) {
    const refused = error instanceof ApiError && error.status === 401;
    problem.textContent = refused ? "The name or the password is wrong." : messageOf(error);
    button.disabled = false;
    field("password").select();
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  void signIn();
});
field("name").focus();
