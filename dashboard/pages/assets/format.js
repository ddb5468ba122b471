const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });

export const count = (value) => whole.format(value);
export const shortCount = (value) => (value < 100_000 ? whole.format(value) : compact.format(value));

/** A rate, with as many digits as tell something. */
export function rate(value) {
  if (value === 0) return "0";
  return value < 10 ? value.toFixed(1) : whole.format(value);
}

/** Milliseconds, short. */
export function duration(ms) {
  if (ms === null || ms === undefined || Number.isNaN(ms)) return "–";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

export function bytes(value) {
  let unit = 0;
  let left = value;
  while (left >= 1024 && unit < UNITS.length - 1) {
    left /= 1024;
    unit += 1;
  }
  return `${unit === 0 || left >= 100 ? Math.round(left) : left.toFixed(1)} ${UNITS[unit]}`;
}

export const timeOfDay = (at) => clock.format(new Date(at));

/** A point in time: the time alone where it is today. */
export function when(at) {
  if (at === undefined || at === null) return "–";
  const date = new Date(at);
  const today = new Date().toDateString() === date.toDateString();
  return today ? clock.format(date) : `${day.format(date)}, ${clock.format(date)}`;
}

export function ago(at) {
  return `${duration(Math.max(0, Date.now() - new Date(at).getTime()))} ago`;
}

/** States of jobs and batches, and their colours; the word is always there too. */
export const TONES = {
  waiting: "",
  prioritized: "",
  active: "info",
  delayed: "delay",
  completed: "ok",
  failed: "danger",
  cancelled: "warn",
  planning: "info",
  planned: "delay",
  running: "info",
  pausing: "warn",
  paused: "warn",
  cancelling: "warn",
  failing: "danger",
};
