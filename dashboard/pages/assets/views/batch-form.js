/** @import { Batch, Session, Verb } from "../../answers.ts" */
/** @import { Resource } from "../core/resource.js" */
/** @import { Route } from "../core/routes.js" */
/** @import { FieldError, Written } from "../core/batches/request.js" */
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, get, post, upload, withReason } from "../core/api.js";
import { readRequest, writtenFrom } from "../core/batches/request.js";
import { ask, messageOf, toast } from "../core/dialogs.js";
import { draft } from "../core/draft.js";
import { html } from "../core/html.js";
import { useResource } from "../core/resource.js";
import { navigate } from "../core/router.js";
import { FilterFields, OptionFields, WhatAndWhere } from "../parts/batches/fields.js";
import { FieldErrors } from "../parts/fields.js";
import { Card, PageHead } from "../parts/layout.js";

/** How long a manifest is kept, in seconds. */
const MANIFEST_TTL = 30 * 86_400;

/**
 * Fills the form with what an earlier batch asked for, or with what was written and not sent.
 * @param {{ current: HTMLFormElement | null }} form
 * @param {string | null} from the id of the earlier batch
 * @param {{ pick: (some: Record<string, string>) => void, fail: (message: string) => void }} told
 */
function useFilledForm(form, from, { pick, fail }) {
  useEffect(() => {
    const fill = (/** @type {Readonly<Record<string, string>>} */ written) => {
      pick(pickOf(written));
      if (form.current) writeInto(form.current, written);
    };
    if (from === null) fill(draft.read() ?? {});
    else
      get(`/api/batches/${encodeURIComponent(from)}`).then(
        (/** @type {Batch} */ batch) => fill(writtenFrom({ ...batch.spec, operation: batch.operation })),
        (error) => fail(messageOf(error)),
      );
    const first = form.current?.elements.namedItem("source.bucket");
    if (first instanceof HTMLElement) first.focus({ preventScroll: true });
  }, [from]);
}

/** Starts a batch: a dry run first, or at once. @param {{ route: Route, session: Session }} props */
export function View({ route: { query }, session }) {
  const form = useRef(/** @type {HTMLFormElement | null} */ (null));
  const [picked, setPicked] = useState(
    /** @type {Record<string, string>} */ ({ operation: "copy", "source.kind": "prefix" }),
  );
  const verbs = useVerbs();
  const verb = verbs.find(({ name }) => name === picked["operation"]);
  const [errors, setErrors] = useState(/** @type {readonly FieldError[]} */ ([]));
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  useFilledForm(form, query.get("from"), {
    pick: (some) => setPicked((before) => ({ ...before, ...some })),
    fail: setProblem,
  });
  const pick = (/** @type {string} */ name, /** @type {string} */ value) =>
    setPicked((before) => ({ ...before, [name]: value }));
  const counts = deletesUnnamed(verb, picked["source.kind"]);
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    if (!form.current || !verb || busy) return;
    const dryRun = !(event.submitter instanceof HTMLButtonElement && event.submitter.value === "start");
    setProblem("");
    setErrors([]);
    setBusy(true);
    try {
      await send(form.current, { picked, verb, dryRun });
    } catch (error) {
      const wrong = error instanceof WrongFields ? error.errors : fieldsOf(error);
      setErrors(wrong);
      // What belongs to no field that is in sight is said below.
      if (!focusFirst(form.current, wrong)) setProblem(messageOf(error));
    } finally {
      setBusy(false);
    }
  };
  return html`<div>
    <${PageHead} name="Start a batch" title="Start a batch" crumbs=${[["Batches", "/batches"]]} />
    <${Card} class="form-card">
      <div class="card-body">
        <form
          ref=${form}
          class="form"
          novalidate
          onSubmit=${submit}
          onInput=${() => form.current && draft.keep(readFrom(form.current))}
        >
          <${FieldErrors.Provider} value=${errors}>
            <${WhatAndWhere} verbs=${verbs} verb=${verb} kind=${picked["source.kind"]} pick=${pick} />
            <${FilterFields} kind=${picked["source.kind"]} />
            <${OptionFields} verb=${verb} />
          <//>
          <p class="form-error" role="alert">${problem}</p>
          <${Buttons} canOperate=${session.canOperate} busy=${busy} counts=${counts} />
        </form>
      </div>
    <//>
  </div>`;
}

/** Whether more is deleted than what somebody named: then a dry run counts it first. @param {Verb | undefined} verb @param {string | undefined} kind */
const deletesUnnamed = (verb, kind) => verb?.sources === "deleted" && !verb.destination && kind !== "items";

/** @param {{ canOperate: boolean, busy: boolean, counts: boolean }} props */
const Buttons = ({ canOperate, busy, counts }) =>
  canOperate
    ? html`<div class="chips">
        <button class="button primary" type="submit" value="plan" aria-disabled=${busy ? "true" : undefined}>
          Dry run first
        </button>
        ${
          counts
            ? html`<span class="muted">Nothing is deleted before it was counted and confirmed.</span>`
            : html`<button class="button" type="submit" value="start" aria-disabled=${busy ? "true" : undefined}>
                Start at once
              </button>`
        }
      </div>`
    : html`<p class="muted">Only an operator can start a batch.</p>`;

class WrongFields extends Error {
  /** @param {readonly FieldError[]} errors */
  constructor(errors) {
    super(errors.map(({ field, message }) => `${field}: ${message}`).join("; "));
    this.errors = errors;
  }
}

/** @param {unknown} error @returns {readonly FieldError[]} */
function fieldsOf(error) {
  if (!(error instanceof ApiError)) return [];
  const { errors, field } = error.problem;
  return errors ?? (field ? [{ field, message: error.message }] : []);
}

/** What a batch can do, once the server said so. @returns {readonly Verb[]} */
function useVerbs() {
  /** @type {Resource<{ readonly operations: readonly Verb[] }>} */
  const { data } = useResource("/api/operations");
  return data?.operations ?? [];
}

/** @param {HTMLFormElement} form @param {{ picked: Readonly<Record<string, string>>, verb: Verb, dryRun: boolean }} chosen */
async function send(form, { picked, verb, dryRun }) {
  const written = { ...readFrom(form), ...picked };
  const file = fileOf(form);
  const copies = verb.destination;
  const { errors } = readRequest(written, { copies, manifest: file });
  if (errors.length > 0) throw new WrongFields(errors);
  const byFile = written["source.kind"] === "manifest" && file !== undefined;
  const { spec } = readRequest(written, { copies, manifest: byFile ? await sendManifest(file) : undefined });
  const reason = dryRun ? "" : await confirmed(spec, verb);
  if (reason === undefined) return;
  const batch = await post(withReason("/api/batches", reason), { ...spec, dryRun });
  draft.drop();
  toast(dryRun ? "Counting; nothing is changed." : "The batch is running.");
  navigate(`/batches/${batch.id}`);
}

/** The manifest becomes a document, which the batch reads as it goes. @param {File} file */
function sendManifest(file) {
  const query = new URLSearchParams({ name: file.name, deleteAfterDownload: "false", ttl: String(MANIFEST_TTL) });
  return upload(`/api/documents?${query}`, file);
}

/** @param {Record<string, any>} spec @param {Verb} verb */
async function confirmed({ operation, source, destination }, { title, sources }) {
  const from =
    source.prefix === undefined ? "the named objects" : `everything under s3://${source.bucket}/${source.prefix}`;
  const onto = destination ? ` to s3://${destination.bucket}/${destination.prefix ?? ""}` : "";
  const answer = await ask({
    title: `${title} without a dry run?`,
    text: `This will ${operation} ${from}${onto}.`,
    action: `Start the ${operation}`,
    tone: sources === "kept" ? "primary" : "danger",
    reason: sources === "deleted" && !destination,
  });
  return answer.yes ? answer.reason : undefined;
}

/** @param {Readonly<Record<string, string>>} written */
const pickOf = (written) =>
  Object.fromEntries(["operation", "source.kind"].flatMap((name) => (written[name] ? [[name, written[name]]] : [])));

/** @param {HTMLFormElement} form @returns {File | undefined} */
function fileOf(form) {
  const field = form.elements.namedItem("source.manifest");
  return field instanceof HTMLInputElement ? (field.files?.[0] ?? undefined) : undefined;
}

/** @param {HTMLFormElement} form @returns {Record<string, string>} */
function readFrom(form) {
  const pairs = [...new FormData(form)];
  return Object.fromEntries(pairs.flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])));
}

/** @param {HTMLFormElement} form @param {Readonly<Record<string, string>>} written */
function writeInto(form, written) {
  for (const [name, value] of Object.entries(written)) {
    const field = form.elements.namedItem(name);
    const writable =
      field instanceof HTMLInputElement
        ? field.type !== "file"
        : field instanceof HTMLSelectElement || field instanceof HTMLTextAreaElement;
    if (writable) /** @type {HTMLInputElement} */ (field).value = value;
  }
}

/** Puts the cursor into the first field that is wrong and in sight. @param {HTMLFormElement | null} form @param {readonly FieldError[]} errors */
function focusFirst(form, errors) {
  for (const place of form?.querySelectorAll("[data-field]") ?? []) {
    const name = place instanceof HTMLElement ? place.dataset["field"] : undefined;
    const wrong = errors.some(({ field }) => name !== undefined && (field === name || field.startsWith(`${name}.`)));
    if (!wrong || place.closest("[hidden]")) continue;
    const folded = place.closest("details");
    if (folded) folded.open = true;
    const input = place.querySelector("input, select, textarea");
    if (input instanceof HTMLElement) input.focus();
    return true;
  }
  return false;
}
