import { post } from "../api.js";
import { readSpec } from "../batch-request.js";
import { ask, h, pageHead, toast } from "../dom.js";

/** Starts a batch: a dry run first, or at once. */
export async function show(main, { session, navigate }) {
  document.title = "Start a batch · Bucketline";
  const problem = h("p", { class: "form-error", role: "alert" });
  const form = h("form", { class: "form", novalidate: true }, ...sections(), problem, buttons(session));
  const sync = () => showWhatApplies(form);
  form.addEventListener("change", sync);
  sync();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void submit(form, { problem, dryRun: event.submitter?.value !== "start", navigate });
  });
  main.replaceChildren(
    pageHead("Start a batch", { crumbs: [["Batches", "/batches"]] }),
    h("section", { class: "card form-card" }, h("div", { class: "card-body" }, form)),
  );
  form.elements["source.bucket"].focus();
}

function field(name, label, { hint, wide, ...attributes } = {}) {
  const input = attributes.options
    ? select(name, attributes.options)
    : h(attributes.rows ? "textarea" : "input", {
        name,
        id: `f-${name}`,
        autocomplete: "off",
        spellcheck: "false",
        ...attributes,
      });
  return h(
    "label",
    { class: `field${wide ? " wide" : ""}`, "data-field": name },
    h("span", {}, label),
    input,
    hint && h("small", {}, hint),
    h("span", { class: "field-error", role: "alert" }),
  );
}

function select(name, options) {
  return h("select", { name, id: `f-${name}` }, ...options.map(([value, label]) => h("option", { value }, label)));
}

function choices(name, legend, options) {
  const choice = ([value, label, text], index) =>
    h(
      "label",
      { class: "choice" },
      h("input", { type: "radio", name, value, checked: index === 0 }),
      h("span", {}, label),
      h("small", {}, text),
    );
  return h(
    "fieldset",
    { "data-field": name },
    h("legend", {}, legend),
    h("div", { class: "choices" }, ...options.map(choice)),
    h("span", { class: "field-error", role: "alert" }),
  );
}

const row = (...fields) => h("div", { class: "field-row" }, ...fields);

function sections() {
  return [
    choices("operation", "What should be done?", [
      ["copy", "Copy", "Sources stay"],
      ["move", "Move", "A source is deleted once its copy is proven"],
      ["delete", "Delete", "Objects are gone"],
    ]),
    choices("source.kind", "To which objects?", [
      ["prefix", "All under a prefix", "Listed as it goes, millions if need be"],
      ["items", "Named objects", "Up to 1,000 keys, one a line"],
      ["manifest", "A manifest", "CSV as of S3 Batch Operations, or NDJSON"],
    ]),
    row(
      field("source.bucket", "Source bucket", { required: true }),
      h("div", { "data-when": "prefix" }, field("source.prefix", "Source prefix", { placeholder: "logs/2025/" })),
    ),
    h(
      "div",
      { "data-when": "items" },
      field("source.items", "Keys", { rows: 6, placeholder: "reports/a.pdf\nreports/b.pdf" }),
    ),
    h(
      "div",
      { "data-when": "manifest" },
      row(
        field("source.manifest", "Manifest file", { type: "file", accept: ".csv,.ndjson,.jsonl,.txt" }),
        field("source.format", "Format", {
          options: [
            ["csv", "CSV: bucket,key"],
            ["ndjson", "NDJSON"],
          ],
        }),
      ),
    ),
    h(
      "div",
      { "data-unless": "delete" },
      row(
        field("destination.bucket", "Destination bucket", { required: true }),
        field("destination.prefix", "Destination prefix", {
          hint: "Takes the place of the source prefix. Empty: keys stay as they are.",
        }),
      ),
    ),
    h(
      "details",
      { class: "more" },
      h("summary", {}, "Filter"),
      h(
        "div",
        { class: "form" },
        row(
          field("filter.include", "Only keys like", {
            placeholder: "**/*.jpg, raw/*",
            hint: "Globs, separated by commas",
          }),
          field("filter.exclude", "But not", { placeholder: "tmp/**" }),
        ),
        h(
          "div",
          { class: "form", "data-when": "prefix" },
          row(
            field("filter.minSize", "Smallest size in bytes", { inputmode: "numeric" }),
            field("filter.maxSize", "Largest size in bytes", { inputmode: "numeric" }),
          ),
          row(
            field("filter.modifiedAfter", "Modified after", { type: "datetime-local" }),
            field("filter.modifiedBefore", "Modified before", { type: "datetime-local" }),
          ),
        ),
      ),
    ),
    h(
      "details",
      { class: "more" },
      h("summary", {}, "Options"),
      h(
        "div",
        { class: "form" },
        row(
          field("label", "Name, for people", { maxlength: 200 }),
          field("credentials", "Profile", { placeholder: "default" }),
        ),
        h(
          "div",
          { "data-unless": "delete" },
          row(
            field("onConflict", "Where the destination exists", {
              options: [
                ["overwrite", "Overwrite it"],
                ["skip", "Skip the object"],
                ["skip-identical", "Skip if it is the same"],
                ["fail", "Count as failed"],
              ],
            }),
            field("archived", "Archived objects", {
              options: [
                ["fail", "Count as failed"],
                ["skip", "Skip"],
              ],
            }),
          ),
        ),
        row(
          field("maxObjects", "At most so many objects", { inputmode: "numeric" }),
          field("maxObjectsPerSecond", "At most so many per second", { inputmode: "decimal" }),
          field("priority", "Priority", { inputmode: "numeric", placeholder: "100", hint: "1 goes first" }),
        ),
        row(
          field("failureThreshold.ratio", "Stop where so many fail", {
            inputmode: "decimal",
            placeholder: "0.5",
            hint: "0 to 1, of the objects tried",
          }),
          field("report", "Report", {
            options: [
              ["all", "A row for every object"],
              ["failures", "Only what failed"],
            ],
          }),
        ),
      ),
    ),
  ];
}

function buttons(session) {
  if (!session.canOperate) return h("p", { class: "muted" }, "Only an operator can start a batch.");
  return h(
    "div",
    { class: "chips" },
    h("button", { class: "button primary", type: "submit", value: "plan" }, "Dry run first"),
    h("button", { class: "button", type: "submit", value: "start" }, "Start at once"),
  );
}

function showWhatApplies(form) {
  const kind = form.elements["source.kind"].value;
  const operation = form.elements.operation.value;
  for (const part of form.querySelectorAll("[data-when]")) part.hidden = part.dataset.when !== kind;
  for (const part of form.querySelectorAll("[data-unless]")) part.hidden = part.dataset.unless === operation;
}

async function submit(form, { problem, dryRun, navigate }) {
  clearErrors(form, problem);
  const missing = requiredMissing(form);
  if (missing) return showErrors(form, problem, [{ field: missing, message: "This is needed." }]);
  const pressed = [...form.querySelectorAll("button")];
  for (const button of pressed) button.disabled = true;
  try {
    const spec = await readSpec(form);
    if (!dryRun && !(await confirmed(spec))) return;
    const batch = await post("/api/batches", { ...spec, dryRun });
    toast(dryRun ? "Counting; nothing is changed." : "The batch is running.");
    await navigate(`/batches/${batch.id}`);
  } catch (error) {
    const { errors, field: wrong } = error.problem ?? {};
    showErrors(form, problem, errors ?? (wrong ? [{ field: wrong, message: error.message }] : []), error.message);
  } finally {
    for (const button of pressed) button.disabled = false;
  }
}

function confirmed({ operation, source, destination }) {
  const from =
    source.prefix === undefined ? "the named objects" : `everything under s3://${source.bucket}/${source.prefix}`;
  const to = destination ? ` to s3://${destination.bucket}/${destination.prefix ?? ""}` : "";
  return ask({
    title: `${operation[0].toUpperCase()}${operation.slice(1)} without a dry run?`,
    text: `This will ${operation} ${from}${to}.`,
    action: `Start the ${operation}`,
    tone: operation === "copy" ? "primary" : "danger",
  });
}

function requiredMissing(form) {
  const value = (name) => form.elements[name].value.trim();
  if (value("source.bucket") === "" && form.elements["source.kind"].value !== "manifest") return "source.bucket";
  if (form.elements["source.kind"].value === "items" && value("source.items") === "") return "source.items";
  if (form.elements["source.kind"].value === "manifest" && form.elements["source.manifest"].files.length === 0)
    return "source.manifest";
  if (form.elements.operation.value !== "delete" && value("destination.bucket") === "") return "destination.bucket";
  return undefined;
}

function clearErrors(form, problem) {
  problem.textContent = "";
  for (const place of form.querySelectorAll(".field-error")) place.textContent = "";
  for (const input of form.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
}

/** Says beside each field what was wrong with it; what belongs to none is said below. */
function showErrors(form, problem, errors, otherwise = "") {
  let first;
  for (const { field: name, message } of errors) {
    const place = placeOf(form, name);
    if (!place) continue;
    const input = place.querySelector("input, select, textarea");
    place.querySelector(".field-error").textContent = message;
    input.setAttribute("aria-invalid", "true");
    const folded = place.closest("details");
    if (folded) folded.open = true;
    first ??= input;
  }
  if (first) first.focus();
  else problem.textContent = otherwise;
}

/** `filter.include.0` is said beside `filter.include`. */
function placeOf(form, name) {
  const steps = name.split(".");
  for (let length = steps.length; length > 0; length -= 1) {
    const place = form.querySelector(`[data-field="${CSS.escape(steps.slice(0, length).join("."))}"]`);
    if (place && !place.closest("[hidden]")) return place;
  }
  return undefined;
}
