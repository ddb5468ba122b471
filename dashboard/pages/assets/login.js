import { get, post } from "./api.js";

const form = document.getElementById("login");
const problem = document.getElementById("problem");
const button = form.querySelector("button");

/** Only a place of ours: anything else would send a freshly signed-in user wherever a link says. */
function next() {
  const wanted = new URLSearchParams(location.search).get("next") ?? "/";
  const url = URL.canParse(wanted, location.origin) ? new URL(wanted, location.origin) : undefined;
  // The whole address that was checked: its path alone may begin with `//`, and would lead to another host.
  return url?.origin === location.origin && wanted.startsWith("/") ? url.href : "/";
}

// A link from elsewhere comes without the strict cookie: whoever is signed in goes on from here.
try {
  const session = await get("/api/session");
  if (session.signedIn) location.replace(next());
} catch (error) {
  problem.textContent = error.message;
}

async function signIn() {
  problem.textContent = "";
  const { name, password } = Object.fromEntries(new FormData(form));
  if (!name || !password) {
    problem.textContent = "Enter your name and your password.";
    form.elements[name ? "password" : "name"].focus();
    return;
  }
  button.disabled = true;
  try {
    await post("/api/session", { name, password });
    location.replace(next());
  } catch (error) {
    problem.textContent = error.status === 401 ? "The name or the password is wrong." : error.message;
    button.disabled = false;
    form.elements.password.select();
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  void signIn();
});
form.elements.name.focus();
