// Everything that is shown goes through text nodes and attributes: data is never read as HTML.

/** Makes an element. `on` holds listeners, other properties become attributes; children are nodes or text. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== false));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `/assets/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

/** Changes text only where it differs, so that selections and screen readers are left in peace. */
export function setText(node, text) {
  const value = String(text);
  if (node.textContent !== value) node.textContent = value;
}

export function setClass(node, name, on) {
  if (node.classList.contains(name) !== on) node.classList.toggle(name, on);
}

/** Keeps one child of `parent` for each item, made once by `make` and brought up to date by what that returns. */
export function keyedList(parent, keyOf, make) {
  const rows = new Map();
  return (items) => {
    const keys = new Set(items.map(keyOf));
    for (const [key, row] of rows) {
      if (keys.has(key)) continue;
      row.element.remove();
      rows.delete(key);
    }
    let place = parent.firstElementChild;
    for (const item of items) {
      const key = keyOf(item);
      let row = rows.get(key);
      if (row === undefined) {
        row = make(item);
        rows.set(key, row);
      }
      row.update?.(item);
      if (row.element === place) place = place.nextElementSibling;
      else parent.insertBefore(row.element, place);
    }
  };
}

export function badge(text, tone) {
  return h("span", { class: "badge", "data-tone": tone }, text);
}

/** What is shown where there is nothing, with what to do about it. */
export function emptyState(name, title, ...lines) {
  return h("div", { class: "empty" }, icon(name), h("h2", {}, title), ...lines);
}

export function card(title, ...children) {
  const head = typeof title === "string" ? h("div", { class: "card-head" }, h("h2", {}, title)) : title;
  return h("section", { class: "card" }, head, ...children);
}

export function pageHead(title, { crumbs, actions = [] } = {}) {
  const trail = crumbs?.map(([text, href]) => [h("a", { href }, text), h("span", { "aria-hidden": "true" }, "/")]);
  return h(
    "div",
    { class: "page-head" },
    trail && h("nav", { class: "crumbs", "aria-label": "Where you are" }, ...trail.flat()),
    h("h1", { class: "break" }, title),
    h("div", { class: "actions" }, ...actions),
  );
}

/** Says what was done, for eyes and screen readers. */
export function toast(message, tone = "plain") {
  const note = h("div", { class: "toast", "data-tone": tone }, message);
  document.getElementById("toasts").append(note);
  setTimeout(() => note.remove(), tone === "danger" ? 9000 : 5000);
}

/** Asks before something is done that cannot be taken back. */
export function ask({ title, text, action, tone = "primary" }) {
  const { promise, resolve } = Promise.withResolvers();
  const dialog = h(
    "dialog",
    { "aria-labelledby": "ask-title" },
    h("h2", { id: "ask-title" }, title),
    h("p", { class: "muted break" }, text),
    h(
      "form",
      { method: "dialog", class: "dialog-actions" },
      h("button", { class: "button", value: "no" }, "Back"),
      h("button", { class: `button ${tone}`, value: "yes" }, action),
    ),
  );
  dialog.addEventListener("close", () => {
    dialog.remove();
    resolve(dialog.returnValue === "yes");
  });
  document.body.append(dialog);
  dialog.showModal();
  return promise;
}

/** A button that does one thing at a time and says what came of it. */
export function actionButton({ label, iconName, tone = "", confirm, run, done }) {
  const button = h("button", { type: "button", class: `button ${tone}` }, iconName && icon(iconName), label);
  button.addEventListener("click", async () => {
    if (confirm && !(await ask({ tone, ...confirm, action: confirm.action ?? label }))) return;
    button.disabled = true;
    try {
      const said = await run();
      if (done || said) toast(said ?? done);
    } catch (error) {
      toast(error.message, "danger");
    } finally {
      button.disabled = false;
    }
  });
  return button;
}
