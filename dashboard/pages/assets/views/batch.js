import { get, post } from "../api.js";
import { createErrors, createFailures, createOptions } from "../batch-details.js";
import { createHead, createSpeed, planCard } from "../batch-figures.js";
import { batchBadge, describeBatch, ENDED } from "../batch-parts.js";
import { actionButton, h, icon, pageHead } from "../dom.js";
import { bytes, count } from "../format.js";
import { liveBadge } from "../live-badge.js";
import { follow, listen } from "../live.js";

/** One batch: how far it is, how fast, what failed, and the buttons to steer it. */
export async function show(main, { params: { id }, session, signal, navigate }) {
  const path = `/api/batches/${id}`;
  const [first, rates] = await Promise.all([get(path, signal), get(`${path}/throughput`, signal)]);
  if (signal.aborted) return;
  const { title, route } = describeBatch(first);
  document.title = `${title} · Bucketline`;
  const badgePlace = h("span", {});
  const buttons = h("span", { class: "chips" });
  const notes = h("div", { class: "alerts", role: "status" });
  const head = createHead();
  const plan = h("div", {});
  const speed = createSpeed(rates.buckets, signal);
  const errors = createErrors();
  const newest = createFailures();
  const options = createOptions(first);

  let last;
  let failed;
  let noted;
  const loadFailures = async () => {
    const { rows } = await get(`${path}/failures`, signal);
    if (!signal.aborted) newest.update(rows);
  };
  const draw = (batch) => {
    head.update(batch);
    errors.update(batch);
    options.update(batch);
    if (last?.state !== batch.state || (last?.failed === 0) !== (batch.failed === 0)) {
      badgePlace.replaceChildren(batchBadge(batch.state));
      buttons.replaceChildren(...steering(batch, { path, session, draw, navigate }));
      plan.replaceChildren(...planCard(batch));
    }
    // Said once, and not every second again.
    const said = JSON.stringify([batch.error, batch.trouble, batch.note, batch.capped, ENDED.includes(batch.state)]);
    if (said !== noted) notes.replaceChildren(...notesOf(batch));
    noted = said;
    notes.hidden = notes.childElementCount === 0;
    head.element.hidden = batch.state === "planned";
    speed.element.hidden = batch.state === "planned";
    // They are noted when a chunk is done, which may be later than they are counted.
    const failures = `${batch.failed} ${JSON.stringify(batch.errors)}`;
    if (failures !== failed) loadFailures().catch(() => undefined);
    failed = failures;
    last = batch;
  };
  draw(first);
  main.replaceChildren(
    pageHead(title, { crumbs: [["Batches", "/batches"]], actions: [liveBadge(signal), badgePlace, buttons] }),
    h(
      "div",
      { class: "stack" },
      h("p", { class: "mono break muted" }, route),
      notes,
      plan,
      head.element,
      speed.element,
      h("div", { class: "columns" }, errors.element, options.element),
      newest.element,
    ),
  );
  listen(
    "batch",
    ({ batch, buckets }) => {
      if (batch.id !== id) return;
      draw(batch);
      speed.merge(buckets);
    },
    signal,
  );
  follow(`?batch=${id}`);
}

function steering(batch, { path, session, draw, navigate }) {
  const { state } = batch;
  const steer = (verb) => async () => draw(await post(`${path}/${verb}`));
  const all = [];
  if (session.canOperate) {
    if (state === "planned")
      all.push(
        actionButton({
          label: "Confirm and start",
          iconName: "play",
          tone: "primary",
          confirm: {
            title: `Start this ${batch.operation}?`,
            text: `${count(batch.plan?.objects ?? 0)} objects, ${bytes(batch.plan?.bytes ?? 0)}.`,
            action: "Start it",
          },
          run: async () => draw(await post(`${path}/confirm`)),
          done: "The batch is running.",
        }),
      );
    if (state === "running")
      all.push(
        actionButton({ label: "Pause", iconName: "pause", run: steer("pause"), done: "Workers were told to pause." }),
      );
    if (state === "paused" || state === "pausing")
      all.push(
        actionButton({
          label: "Resume",
          iconName: "play",
          tone: "primary",
          run: steer("resume"),
          done: "The batch goes on.",
        }),
      );
    if (["running", "pausing", "paused", "planned"].includes(state))
      all.push(
        actionButton({
          label: "Cancel",
          iconName: "stop",
          tone: "danger",
          confirm: {
            title: "Cancel this batch?",
            text: "What is done stays done; nothing more is copied or deleted. It cannot be resumed.",
            action: "Cancel the batch",
          },
          run: steer("cancel"),
          done: "The batch was cancelled.",
        }),
      );
    if (ENDED.includes(state) && batch.failed > 0)
      all.push(
        actionButton({
          label: "Retry failed",
          iconName: "retry",
          run: async () => {
            const started = await post(`${path}/retry-failed`);
            await navigate(`/batches/${started.id}`);
          },
          done: "A new batch over the failed objects was started.",
        }),
      );
  }
  if (state !== "planned") {
    all.push(h("a", { class: "button", href: `${path}/report?format=csv`, download: "" }, icon("download"), "CSV"));
    all.push(
      h("a", { class: "button", href: `${path}/report?format=ndjson`, download: "" }, icon("download"), "NDJSON"),
    );
  }
  return all;
}

function note(severity, heading, text) {
  return h(
    "div",
    { class: "alert", "data-severity": severity },
    icon("quarantine"),
    h("div", { class: "break" }, h("p", {}, h("strong", {}, heading)), text && h("p", {}, text)),
  );
}

function notesOf(batch) {
  const all = [];
  if (batch.error) all.push(note("danger", batch.error.code, batch.error.message.replace(`${batch.error.code}: `, "")));
  if (batch.trouble && !ENDED.includes(batch.state))
    all.push(
      note(
        "warning",
        `Held up by ${batch.trouble.code}`,
        `${batch.trouble.message.replace(`${batch.trouble.code}: `, "")} It is tried again by itself.`,
      ),
    );
  if (batch.capped)
    all.push(
      note(
        "warning",
        "It ended at its limit",
        batch.capped === "maxObjects" ? "As many objects as allowed were done." : "As many bytes as allowed were done.",
      ),
    );
  if (batch.note) all.push(note("warning", batch.note));
  if (batch.retryOf)
    all.push(
      h(
        "p",
        { class: "muted" },
        "This repeats what failed in ",
        h("a", { href: `/batches/${batch.retryOf}` }, "an earlier batch"),
        ".",
      ),
    );
  return all;
}
