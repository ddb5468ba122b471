/** Listens until it is disposed. */
export type StopSignal = Disposable & { readonly signal: AbortSignal };

/** Aborts with the first SIGINT or SIGTERM; the second ends the process at once, as users expect of Ctrl-C. */
export function stopSignal(): StopSignal {
  const controller = new AbortController();
  const ignore = () => {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
  };
  const stop = () => {
    ignore();
    controller.abort();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return { signal: controller.signal, [Symbol.dispose]: ignore };
}
