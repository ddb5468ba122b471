import { html } from "../../core/html.js";
import { Choices, Field, FieldRow, MoreFields } from "../fields.js";

/** @import { Verb } from "../../../answers.ts" */
/** @typedef {{ verbs: readonly Verb[], verb: Verb | undefined, kind: string, pick: (name: string, value: string) => void }} Picked */

/** @type {readonly (readonly [string, string, string])[]} */
const KINDS = [
  ["prefix", "All under a prefix", "Listed as it goes, millions if need be"],
  ["items", "Named objects", "Up to 1,000 keys, one a line"],
  ["manifest", "A manifest", "CSV as of S3 Batch Operations, or NDJSON"],
];
const FORMATS = [
  ["csv", "CSV: bucket,key"],
  ["ndjson", "NDJSON"],
];
const CONFLICTS = [
  ["overwrite", "Overwrite it"],
  ["skip", "Skip the object"],
  ["skip-identical", "Skip if it is the same"],
  ["fail", "Count as failed"],
];
const ARCHIVED = [
  ["fail", "Count as failed"],
  ["skip", "Skip"],
];
const REPORTS = [
  ["all", "A row for every object"],
  ["failures", "Only what failed"],
];

/** What is to be done, and to which objects. @param {Picked} props */
export const WhatAndWhere = ({ verbs, verb, kind, pick }) =>
  html`<div class="form">
    <${Choices}
      name="operation"
      legend="What should be done?"
      value=${verb?.name}
      options=${verbs.map(({ name, title, hint }) => [name, title, hint])}
      onPick=${(/** @type {string} */ value) => pick("operation", value)}
    />
    <${Choices}
      name="source.kind"
      legend="To which objects?"
      value=${kind}
      options=${KINDS}
      onPick=${(/** @type {string} */ value) => pick("source.kind", value)}
    />
    <${FieldRow}>
      <${Field} name="source.bucket" label="Source bucket" required />
      <div hidden=${kind !== "prefix"}>
        <${Field} name="source.prefix" label="Source prefix" placeholder="logs/2025/" />
      </div>
    <//>
    <div hidden=${kind !== "items"}>
      <${Field} name="source.items" label="Keys" rows=${6} placeholder=${"reports/a.pdf\nreports/b.pdf"} />
    </div>
    <div hidden=${kind !== "manifest"}>
      <${FieldRow}>
        <${Field} name="source.manifest" label="Manifest file" type="file" accept=".csv,.ndjson,.jsonl,.txt" />
        <${Field} name="source.format" label="Format" options=${FORMATS} />
      <//>
    </div>
    <div hidden=${verb?.destination === false}>
      <${FieldRow}>
        <${Field} name="destination.bucket" label="Destination bucket" required />
        <${Field}
          name="destination.prefix"
          label="Destination prefix"
          hint="Takes the place of the source prefix. Empty: keys stay as they are."
        />
      <//>
    </div>
  </div>`;

/** Which of them are left out. @param {{ kind: string }} props */
export const FilterFields = ({ kind }) =>
  html`<${MoreFields} title="Filter" names=${["filter"]}>
    <${FieldRow}>
      <${Field}
        name="filter.include"
        label="Only keys like"
        placeholder="**/*.jpg, raw/*"
        hint="Globs, separated by commas"
      />
      <${Field} name="filter.exclude" label="But not" placeholder="tmp/**" />
    <//>
    <div class="form" hidden=${kind !== "prefix"}>
      <${FieldRow}>
        <${Field} name="filter.minSize" label="Smallest size in bytes" inputmode="numeric" />
        <${Field} name="filter.maxSize" label="Largest size in bytes" inputmode="numeric" />
      <//>
      <${FieldRow}>
        <${Field} name="filter.modifiedAfter" label="Modified after" type="datetime-local" />
        <${Field} name="filter.modifiedBefore" label="Modified before" type="datetime-local" />
      <//>
    </div>
  <//>`;

const OPTIONS = [
  "label",
  "credentials",
  "onConflict",
  "archived",
  "maxObjects",
  "maxObjectsPerSecond",
  "priority",
  "failureThreshold",
  "report",
];

/** How it is done. @param {{ verb: Verb | undefined }} props */
export const OptionFields = ({ verb }) =>
  html`<${MoreFields} title="Options" names=${OPTIONS}>
    <${FieldRow}>
      <${Field} name="label" label="Name" maxlength="200" hint="Shown in lists" />
      <${Field} name="credentials" label="Profile" placeholder="default" />
    <//>
    <div hidden=${verb?.destination === false}>
      <${FieldRow}>
        <${Field} name="onConflict" label="Where the destination exists" options=${CONFLICTS} />
        <${Field} name="archived" label="Archived objects" options=${ARCHIVED} />
      <//>
    </div>
    <${FieldRow}>
      <${Field} name="maxObjects" label="Limit of objects" inputmode="numeric" />
      <${Field} name="maxObjectsPerSecond" label="Limit per second" inputmode="decimal" />
      <${Field} name="priority" label="Priority" inputmode="numeric" placeholder="100" hint="1 goes first" />
    <//>
    <${FieldRow}>
      <${Field}
        name="failureThreshold.ratio"
        label="Stop where this share fails"
        inputmode="decimal"
        placeholder="50%"
        hint="Of the objects tried: 50% or 0.5"
      />
      <${Field} name="report" label="Report" options=${REPORTS} />
    <//>
  <//>`;
