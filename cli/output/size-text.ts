const UNITS = ["bytes", "KB", "MB", "GB", "TB", "PB"] as const;

// Made once: a listing prints hundreds of thousands.
const NUMBERS = new Intl.NumberFormat("en-US");

export const count = (value: number): string => NUMBERS.format(value);

/** `1.5 MB`, in powers of 1,000. */
export function sizeText(bytes: number): string {
  const power = bytes < 1000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  const unit = UNITS[power] ?? "bytes";
  return power === 0 ? `${count(bytes)} ${unit}` : `${(bytes / 1000 ** power).toFixed(1)} ${unit}`;
}

const two = (value: number): string => String(value).padStart(2, "0");

/** `3 s`, `4 min 05 s`, `2 h 10 min`. */
export function durationText(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}
