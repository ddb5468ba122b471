// Runs before the first paint, so that a chosen theme does not flash. "auto" follows the system.
try {
  const chosen = localStorage.getItem("bucketline-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // Storage is off: the system decides.
}
