import { ENDED } from "./batch-parts.js";
import { card, emptyState, h, keyedList, setText } from "./dom.js";
import { count, when } from "./format.js";

/** Failed objects by their code. */
export function createErrors() {
  const body = h("tbody", {});
  const draw = keyedList(
    body,
    ([code]) => code,
    ([code]) => {
      const value = h("td", { class: "right" });
      return {
        element: h("tr", {}, h("th", { scope: "row" }, code), value),
        update: ([, failures]) => setText(value, count(failures)),
      };
    },
  );
  const table = h(
    "div",
    { class: "table-wrap" },
    h(
      "table",
      { class: "table" },
      h(
        "thead",
        {},
        h("tr", {}, h("th", { scope: "col" }, "Code"), h("th", { scope: "col", class: "right" }, "Objects")),
      ),
      body,
    ),
  );
  const none = emptyState("check", "Nothing failed", h("p", {}, "Objects that fail are counted here by their error."));
  const later = h("p", { class: "card-body muted" }, "Errors are told apart when their chunk is done.");
  return {
    element: card("Errors", table, none, later),
    update: ({ errors, failed }) => {
      const entries = Object.entries(errors).toSorted(([, one], [, other]) => other - one);
      table.hidden = entries.length === 0;
      none.hidden = entries.length > 0 || failed > 0;
      later.hidden = entries.length > 0 || failed === 0;
      draw(entries);
    },
  };
}

/** The newest failures, with key and reason. */
export function createFailures() {
  const body = h("tbody", {});
  const element = card(
    h(
      "div",
      { class: "card-head" },
      h("h2", {}, "Newest failures"),
      h("span", { class: "card-note" }, "at most 100; the report has all"),
    ),
    h(
      "div",
      { class: "table-wrap" },
      h(
        "table",
        { class: "table" },
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Key"), h("th", { scope: "col" }, "Reason"))),
        body,
      ),
    ),
  );
  element.hidden = true;
  return {
    element,
    update: (rows) => {
      element.hidden = rows.length === 0;
      body.replaceChildren(
        ...rows.map(({ bucket, key, code, message }) =>
          h(
            "tr",
            {},
            h("td", { class: "mono break failure-key" }, `s3://${bucket}/${key}`),
            h(
              "td",
              { class: "break" },
              h("span", { class: "is-danger-text" }, code ?? "failed"),
              message && h("div", { class: "muted" }, message.replace(`${code}: `, "")),
            ),
          ),
        ),
      );
    },
  };
}

/** What was asked, and how the chain stands. */
export function createOptions(batch) {
  const chain = h("dd", {});
  const requests = h("dd", {});
  const priority = h("dd", {});
  const facts = [
    ["Batch id", h("dd", { class: "mono" }, batch.id)],
    ["Created", h("dd", {}, when(batch.createdAt))],
    ["Priority", priority],
    ["Chain", chain],
    ["Requests", requests],
  ];
  const element = card(
    "Details",
    h(
      "div",
      { class: "card-body stack" },
      h("dl", { class: "facts" }, ...facts.flatMap(([label, value]) => [h("dt", {}, label), value])),
      h(
        "details",
        { class: "more" },
        h("summary", {}, "All options"),
        h("pre", { class: "code", tabindex: "0" }, JSON.stringify(batch.spec, undefined, 2)),
      ),
    ),
  );
  return {
    element,
    update: (next) => {
      setText(priority, next.priority);
      setText(chain, next.chain ? chainText(next.chain) : ENDED.includes(next.state) ? "at its end" : "at rest");
      const { list, head, copy, delete: deletes } = next.requests;
      setText(requests, `${count(list)} list, ${count(head)} head, ${count(copy)} copy, ${count(deletes)} delete`);
    },
  };
}

function chainText({ openChunks, listing, feeding }) {
  const going = feeding
    ? "reading the manifest"
    : listing > 0
      ? `${count(listing)} ${listing === 1 ? "chain lists" : "chains list"} on`
      : "all is listed";
  return `${count(openChunks)} ${openChunks === 1 ? "chunk" : "chunks"} in flight, ${going}`;
}
