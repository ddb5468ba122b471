// One rule for all that is shown: numbers and dates are written in English, times are of the browser's zone, which every page names.

import { now } from "./clock.js";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

/** @param {number} value */
export const count = (value) => whole.format(value);
/** @param {number} value */
export const shortCount = (value) => (value < 100_000 ? whole.format(value) : compact.format(value));

/**
 * A rate, with as many digits as tell something: 0.04, 3.2, 310.
 * @param {number} value
 */
export function rate(value) {
  if (value === 0) return "0";
  if (value < 0.01) return "< 0.01";
  if (value < 0.1) return value.toFixed(2);
  return value < 9.95 ? value.toFixed(1) : whole.format(value);
}

/**
 * Milliseconds, short. Rounded first, so that no unit is ever full.
 * @param {number | null | undefined} ms
 */
export function duration(ms) {
  if (ms === null || ms === undefined || Number.isNaN(ms)) return "–";
  if (Math.round(ms) < 1000) return `${Math.round(ms)} ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return twoUnits(Math.floor(seconds / 60), "min", seconds % 60, "s");
  const minutes = Math.round(seconds / 60);
  if (minutes < 48 * 60) return twoUnits(Math.floor(minutes / 60), "h", minutes % 60, "min");
  const hours = Math.round(minutes / 60);
  return twoUnits(Math.floor(hours / 24), "d", hours % 24, "h");
}

/**
 * @param {number} large
 * @param {string} unit
 * @param {number} small
 * @param {string} part
 */
const twoUnits = (large, unit, small, part) => (small === 0 ? `${large} ${unit}` : `${large} ${unit} ${small} ${part}`);

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/** @param {number} value */
export function bytes(value) {
  let unit = 0;
  let left = value;
  // Rounded, 1023.97 KiB would read 1024 KiB.
  while (left >= (unit === 0 ? 1024 : 1023.5) && unit < UNITS.length - 1) {
    left /= 1024;
    unit += 1;
  }
  return `${unit === 0 || left >= 99.95 ? Math.round(left) : left.toFixed(1)} ${UNITS[unit]}`;
}

/**
 * A share, never rounded up to all nor down to nothing.
 * @param {number} part
 * @param {number} all
 */
export function percent(part, all) {
  if (all <= 0) return "";
  const share = (100 * part) / all;
  if (share > 0 && share < 1) return "< 1%";
  return `${Math.floor(share)}%`;
}

/** @param {string | number | Date} at */
export const timeOfDay = (at) => clock.format(new Date(at));

/**
 * A point in time: the time alone where it is today.
 * @param {string | undefined} at
 */
export function when(at) {
  if (at === undefined) return "–";
  const date = new Date(at);
  const today = new Date(now()).toDateString() === date.toDateString();
  return today ? clock.format(date) : `${day.format(date)}, ${clock.format(date)}`;
}

/**
 * The same in UTC, to the second.
 * @param {string} at
 */
export const inUtc = (at) => `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`;

/** @param {number} value */
const two = (value) => String(Math.floor(value)).padStart(2, "0");

/** The zone that times are shown in, with its distance from UTC now: `Europe/Berlin (UTC+01:00)`. */
export function zone() {
  const name = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const minutes = -new Date().getTimezoneOffset();
  if (minutes === 0) return name === "UTC" ? "UTC" : `${name} (UTC)`;
  const size = Math.abs(minutes);
  return `${name} (UTC${minutes < 0 ? "-" : "+"}${two(size / 60)}:${two(size % 60)})`;
}

/** @param {string} at */
export const ago = (at) => `${duration(Math.max(0, now() - Date.parse(at)))} ago`;

/** @type {Readonly<Record<string, string>>} States of jobs and batches, and their colours; the word is always there too. */
export const TONES = {
  active: "info",
  delayed: "delay",
  completed: "ok",
  failed: "danger",
  cancelled: "warn",
  planned: "delay",
  running: "info",
  pausing: "warn",
  paused: "warn",
  cancelling: "warn",
  failing: "danger",
  missed: "danger",
  refused: "danger",
  expired: "danger",
  accepted: "ok",
  scheduled: "ok",
};
