/** @import { ComponentChildren, ComponentType } from "preact" */
/** @import { Session } from "../answers.ts" */
/** @import { Route } from "./core/routes.js" */
import { Component, render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { get } from "./core/api.js";
import { messageOf } from "./core/dialogs.js";
import { html } from "./core/html.js";
import { startKeyboard } from "./core/keyboard.js";
import { live, startLive } from "./core/live.js";
import { route, startRouter } from "./core/router.js";
import { useStore } from "./core/store.js";
import { Frame } from "./parts/frame.js";
import { Failed, Loading, PageHead } from "./parts/layout.js";
import { Overlays, Toasts } from "./parts/overlays.js";

/** @typedef {ComponentType<{ route: Route, session: Session }>} ViewComponent */

/** @type {Map<string, ViewComponent>} Views that were shown before are there at once. */
const views = new Map();

/** @param {string} name @returns {Promise<ViewComponent>} */
async function loadView(name) {
  const { View } = await import(`./views/${name}.js`);
  views.set(name, View);
  return View;
}

/** The view of a route, as soon as its module is there. Tries again where that fails. @param {string} name */
function useView(name) {
  const [loaded, setLoaded] = useState(/** @type {{ name: string, error?: unknown }} */ ({ name: "" }));
  const connection = useStore(live.state);
  useEffect(() => {
    let left = false;
    // It may have come between the drawing and now: that has to be drawn, too.
    if (loaded.name !== name)
      loadView(name).then(
        () => left || setLoaded({ name }),
        (error) => left || setLoaded({ name: "", error }),
      );
    return () => void (left = true);
  }, [name, connection === "live"]);
  return { View: views.get(name), error: loaded.error };
}

/** What breaks in a view is said in its place; the frame stays. */
class Boundary extends Component {
  /** @param {{ children?: ComponentChildren }} props */
  constructor(props) {
    super(props);
    this.state = { error: undefined };
  }
  /**
   * @override
   * @param {unknown} error
   */
  static getDerivedStateFromError(error) {
    return { error };
  }
  /** @override */
  render() {
    const { error } = /** @type {{ error: unknown }} */ (this.state);
    if (error === undefined) return this.props.children;
    return html`<div>
      <${PageHead} name="That did not work" title="That did not work" /><${Failed} error=${error} />
    </div>`;
  }
}

/** @param {{ session: Session }} props */
function App({ session }) {
  const shown = useStore(route);
  const { View, error } = useView(shown.view);
  const first = useRef(true);
  useEffect(() => {
    // A page that comes in place of another is where the reader goes on; words in the address do not change the page.
    if (!first.current) document.getElementById("main")?.focus({ preventScroll: true });
    first.current = false;
  }, [shown.path]);
  const page = View
    ? html`<${Boundary} key=${shown.path}><${View} route=${shown} session=${session} /><//>`
    : html`<div>
        <${PageHead}
          name=${shown.title}
          title=${shown.title}
        />${error ? html`<${Failed} error=${error} />` : html`<${Loading} />`}
      </div>`;
  return html`<div>
    <a class="skip" href="#main">Skip to content</a>
    <${Frame} route=${shown} session=${session} busy=${!View}>${page}<//>
    <${Overlays} />
    <${Toasts} />
  </div>`;
}

/** Asks until somebody answers: a page that is opened while the dashboard starts is no blank page. @returns {Promise<Session>} */
async function whoAmI() {
  for (;;) {
    try {
      return await get("/api/session");
    } catch (error) {
      document.querySelector(".main")?.replaceChildren(messageOf(error));
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

const root = document.getElementById("app");
if (!root) throw new Error("the page has no place for the dashboard");
void loadView(route.get().view).catch(() => undefined); // said when it is shown
startLive();
startRouter();
startKeyboard();
const session = await whoAmI();
root.replaceChildren();
render(html`<${App} session=${session} />`, root);
