/** Labels of a chart's axis. All of one axis have as many digits and the same unit, so that no two different marks read alike. */

/**
 * @param {readonly number[]} marks
 * @returns {string[]}
 */
export function rateTicks(marks) {
  const digits = digitsFor(stepOf(marks));
  return marks.map((mark) => (mark === 0 ? "0" : mark.toLocaleString("en", fixed(digits))));
}

/** @type {readonly (readonly [ms: number, unit: string])[]} */
const TIME_UNITS = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
  [1000, "s"],
];

/**
 * Milliseconds.
 * @param {readonly number[]} marks
 * @returns {string[]}
 */
export function durationTicks(marks) {
  const largest = Math.max(0, ...marks);
  const [size, unit] = TIME_UNITS.find(([ms]) => largest >= ms) ?? [1, "ms"];
  const digits = digitsFor(stepOf(marks) / size);
  return marks.map((mark) => (mark === 0 ? "0" : `${(mark / size).toLocaleString("en", fixed(digits))} ${unit}`));
}

/** @param {readonly number[]} marks */
function stepOf(marks) {
  const steps = marks.slice(1).map((mark, index) => mark - (marks[index] ?? 0));
  return Math.min(Infinity, ...steps.filter((step) => step > 0));
}

/** How many digits tell marks apart that lie so far from each other. @param {number} step */
function digitsFor(step) {
  if (!Number.isFinite(step)) return 0;
  for (let digits = 0; digits < 6; digits += 1) {
    const scaled = step * 10 ** digits;
    if (scaled >= 1 && Math.abs(scaled - Math.round(scaled)) < 1e-6) return digits;
  }
  return 6;
}

/** @param {number} digits */
const fixed = (digits) => ({ minimumFractionDigits: digits, maximumFractionDigits: digits });
