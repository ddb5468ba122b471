import { to } from "../core/base.js";
import { html } from "../core/html.js";
import { Card, EmptyState, PageHead } from "../parts/layout.js";

/** An address that leads nowhere. */
export const View = () =>
  html`<div>
    <${PageHead} name="Not found" title="Not found" />
    <${Card}
      ><${EmptyState} icon="search" title="There is no such page"
        ><p><a href=${to("/")}>Go to the overview</a></p><//
      ><//
    >
  </div>`;
