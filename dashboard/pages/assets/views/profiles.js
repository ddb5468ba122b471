/** @import { ProfileView, Session } from "../../answers.ts" */
/** @import { Resource } from "../core/resource.js" */
import { now } from "../core/clock.js";
import { post } from "../core/api.js";
import { to } from "../core/base.js";
import { html } from "../core/html.js";
import { printable } from "../core/printable.js";
import { useResource } from "../core/resource.js";
import { ActionButton } from "../parts/action-button.js";
import { Alert, Card, EmptyState, Facts, Failed, Loading, PageHead, StateBadge } from "../parts/layout.js";
import { Ago, Time } from "../parts/names.js";

const AGAIN_MS = 5000;

/** The workers' connections to stores, and whether those accept them. @param {{ session: Session }} props */
export function View({ session }) {
  /** @type {Resource<{ profiles: readonly ProfileView[] }>} */
  const { data, error, reload } = useResource("/api/profiles", { every: AGAIN_MS });
  return html`<div>
    <${PageHead} name="Profiles" title="Profiles" />
    ${!data && (error ? html`<${Failed} error=${error} />` : html`<${Loading} />`)}
    ${data && data.profiles.length === 0 && html`<${Card}><${None} /><//>`}
    <div class="columns">
      ${data?.profiles.map((profile) => html`<${ProfileCard} key=${profile.name} ...${{ profile, canOperate: session.canOperate, reload }} />`)}
    </div>
  </div>`;
}

const None = () =>
  html`<${EmptyState} icon="key" title="No worker has told of a profile">
    <p>Profiles are part of a worker's configuration; it tells of them, without their secrets, when it starts.</p>
  <//>`;

/** @param {ProfileView} profile */
function stateOf({ refusedSince, expiresAt, provedAt }) {
  if (refusedSince) return "refused";
  if (expiresAt && Date.parse(expiresAt) < now()) return "expired";
  return provedAt ? "accepted" : "not tested";
}

/** @param {{ profile: ProfileView, canOperate: boolean, reload: () => Promise<void> }} props */
function ProfileCard({ profile, canOperate, reload }) {
  const { name, provider, region, endpoint, policy, at, provedAt, expiresAt } = profile;
  const { refusedSince, refusedCode, throttledAt, throttledCode } = profile;
  const test = async () => {
    const { accepted, error } = await post(`/api/profiles/${encodeURIComponent(name)}/test`);
    await reload();
    if (accepted === undefined) return "No worker took it within half a minute.";
    if (!accepted) throw new Error(error?.message ?? "The store does not accept it.");
    return "The store accepts it.";
  };
  const found = new URLSearchParams({ state: "failed", profile: name });
  return html`<${Card}
    title=${html`<bdi class="break">${printable(name)}</bdi>`}
    actions=${html`<${StateBadge} state=${stateOf(profile)} />`}
  >
    <div class="card-body stack">
      ${
        refusedSince &&
        html`<${Alert} severity="danger" title=${`Refused with ${printable(refusedCode ?? "")}`}
          ><p>Since <${Time} at=${refusedSince} />.</p><//
        >`
      }
      <${Facts}
        rows=${[
          ["Credentials", provider ?? "–"],
          ["Region", region],
          ["Store", endpoint ? html`<span class="mono break">${printable(endpoint)}</span>` : "AWS"],
          ["Last proven", provedAt ? html`<${Ago} at=${provedAt} />` : "not yet"],
          expiresAt && ["Holds until", html`<${Time} at=${expiresAt} />`],
          throttledAt && [
            "Throttled",
            html`<span><${Ago} at=${throttledAt} />, ${printable(throttledCode ?? "")}</span>`,
          ],
          ["Allowed", policy ? html`<${Policy} policy=${policy} />` : "everything"],
          ["Last reported", html`<${Ago} at=${at} />`],
          ["Failed jobs", html`<a href=${to(`/search?${found}`)}>Find them</a>`],
        ]}
      />
      ${canOperate && html`<span class="chips"><${ActionButton} label="Test now" icon="check" run=${test} /></span>`}
    </div>
  <//>`;
}

/** @param {{ policy: NonNullable<ProfileView["policy"]> }} props */
const Policy = ({ policy }) =>
  html`<ul class="policy">
    ${policy.map(
      ({ activities, buckets, prefixes }, index) =>
        html`<li key=${index} class="break">
          ${activities.join(", ")} in
          ${printable(buckets.join(", "))}${prefixes && ` below ${printable(prefixes.join(", "))}`}
        </li>`,
    )}
  </ul>`;
