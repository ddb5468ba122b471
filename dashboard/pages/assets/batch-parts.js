import { badge, h, setText } from "./dom.js";
import { bytes, count, duration, rate, shortCount, TONES } from "./format.js";

export const ENDED = ["completed", "cancelled", "failed"];

/** Where a batch goes from and to, in words. */
export function describeBatch({ operation, spec }) {
  const { source, destination } = spec;
  const from =
    "prefix" in source
      ? `s3://${source.bucket}/${source.prefix}`
      : "items" in source
        ? "named objects"
        : `manifest ${source.manifest?.name ?? ""}`;
  if (operation === "delete") return { title: spec.label ?? `Delete ${from}`, route: from };
  const to = `s3://${destination.bucket}/${destination.prefix ?? source.prefix ?? ""}`;
  return {
    title: spec.label ?? `${operation === "move" ? "Move" : "Copy"} to ${destination.bucket}`,
    route: `${from} → ${to}`,
  };
}

export const doneOf = (batch) => batch.succeeded + batch.failed + batch.skipped + batch.unattempted;

/** How many objects it is about: what it found, once it has ended, or before where their number is known. */
export const wholeOf = (batch) => (ENDED.includes(batch.state) ? batch.listed : (batch.total ?? batch.listed));

/** A bar of what became of the objects. Where their number is not known yet, it is of what was found so far. */
export function progressBar(big = false) {
  const parts = ["succeeded", "failed", "skipped"].map((name) => h("div", { class: `bar-fill ${name}` }));
  const element = h(
    "div",
    { class: `bar${big ? " big" : ""}`, role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100" },
    ...parts,
  );
  return {
    element,
    update: (batch) => {
      const whole = Math.max(wholeOf(batch), doneOf(batch), 1);
      for (const [index, field] of ["succeeded", "failed", "skipped"].entries())
        parts[index].style.width = `${(100 * batch[field]) / whole}%`;
      const percent = Math.floor((100 * doneOf(batch)) / whole);
      element.setAttribute("aria-valuenow", String(percent));
      element.setAttribute("aria-label", `${percent}% of ${count(whole)} objects`);
      element.classList.toggle("unknown", batch.total === undefined && !ENDED.includes(batch.state));
    },
  };
}

/** A batch in a list; it keeps up with its figures. */
export function batchRow(batch) {
  const { title, route } = describeBatch(batch);
  const bar = progressBar();
  const left = h("span", {});
  const right = h("span", {});
  const state = h("span", { class: "badge" });
  const element = h(
    "div",
    { class: "batch-row" },
    h(
      "div",
      { class: "what" },
      h("a", { href: `/batches/${batch.id}`, class: "break" }, title),
      h("div", { class: "mono", title: route }, route),
    ),
    h("div", { class: "how" }, bar.element, h("div", { class: "line" }, left, right)),
    state,
  );
  const update = (next) => {
    bar.update(next);
    const whole = wholeOf(next);
    setText(
      left,
      next.state === "planned"
        ? `${count(next.plan?.objects ?? next.listed)} objects planned`
        : `${shortCount(doneOf(next))} of ${shortCount(whole)}${next.total === undefined && !ENDED.includes(next.state) ? " found so far" : ""}`,
    );
    setText(right, speedOf(next));
    setText(state, next.state);
    state.dataset.tone = TONES[next.state] ?? "";
  };
  update(batch);
  return { element, update };
}

function speedOf(batch) {
  if (batch.state === "running")
    return `${rate(batch.objectsPerSecond)}/s${batch.etaSeconds === undefined ? "" : `, ${duration(batch.etaSeconds * 1000)} to go`}`;
  if (batch.failed > 0) return `${shortCount(batch.failed)} failed`;
  return ENDED.includes(batch.state) ? bytes(batch.bytes) : "";
}

export const batchBadge = (state) => badge(state, TONES[state] ?? "");
