import { describeSource } from "../../batches/spec/request.ts";
import { ActivityError } from "../../model/activity-error.ts";
import { isAtRest } from "../../batches/state/status.ts";
import type { BatchProgress } from "../../batches/report/progress.ts";
import type { BatchHandle } from "../../producer/index.ts";
import { progressLine, summary } from "./text.ts";
import { jsonLine, printable } from "../output/printable.ts";
import { hint, say } from "../output/say.ts";
import { count } from "../output/size-text.ts";
import type { Session } from "../session.ts";
import { EXIT } from "../usage-exit.ts";

/** How often a line is printed where nobody sees it change. */
const PLAIN_EVERY_MS = 5_000;
/** A worker that is there takes a chunk within milliseconds. */
const HINT_AFTER_MS = 5_000;
const CLEAR = "\r\u001b[K";

/**
 * Shows a batch until it is at rest: a bar on a terminal, plain lines elsewhere, or JSON. Ctrl-C leaves the batch running and says how to
 * go on. The exit code is 0 only where every object succeeded or was skipped as asked.
 */
export async function watchBatch(
  open: Session,
  handle: BatchHandle,
  { json }: { readonly json?: true },
): Promise<void> {
  const { signal } = open;
  const show = json ? jsonView() : open.environment.terminal ? terminalView() : plainView();
  const startedAt = Date.now();
  let last: BatchProgress | undefined;
  let hinted = false;
  try {
    for await (const progress of handle.progress({ signal })) {
      last = progress;
      show.progress(progress);
      if (hinted || progress.requests.list > 0 || progress.listed > 0 || isAtRest(progress.state)) continue;
      if (Date.now() - startedAt < HINT_AFTER_MS) continue;
      hinted = true;
      hint("waiting for a worker: is one running with the same REDIS_URL and BUCKETLINE_PREFIX?");
    }
  } catch (error) {
    show.end();
    if (!signal.aborted) throw error;
    hint(`batch ${handle.id} goes on without you.
  watch it:   bucketline batch watch ${handle.id}
  cancel it:  bucketline batch cancel ${handle.id}`);
    throw error;
  }
  show.end();
  if (last === undefined) return;
  if (last.listed === 0 && (last.state === "completed" || last.state === "planned")) throw nothingMatched(last);
  if (!json) say(summary(last));
  const { state, failed, unattempted } = last;
  const fine = state === "planned" || (state === "completed" && failed === 0 && unattempted === 0);
  process.exitCode = fine ? EXIT.fine : EXIT.problem;
}

/** As `ls`, `cp` and `rm` of a file system have it: a pattern that is misspelt must not look like work that was done. */
function nothingMatched({ spec, filtered }: BatchProgress): ActivityError {
  const { include = [], exclude = [] } = spec.filter ?? {};
  const pattern = include.length === 1 && exclude.length === 0 ? include[0] : "";
  const source = describeSource(spec);
  const others = filtered === 0 ? "" : `; ${count(filtered)} under ${source} did not`;
  return new ActivityError("NoSuchKey", `no object matches ${source}${pattern}${others}`);
}

type View = { progress(progress: BatchProgress): void; end(): void };

function terminalView(): View {
  return {
    progress: (progress) => {
      const width = Math.max(40, (process.stdout.columns || 80) - 1);
      process.stdout.write(CLEAR + progressLine(progress).slice(0, width));
    },
    end: () => void process.stdout.write(CLEAR),
  };
}

function plainView(): View {
  let printedAt = Date.now();
  let printed = "";
  return {
    progress: (progress) => {
      const line = progressLine(progress);
      if (Date.now() - printedAt < PLAIN_EVERY_MS || line === printed) return;
      printedAt = Date.now();
      printed = line;
      console.log(printable(line));
    },
    end: () => undefined,
  };
}

function jsonView(): View {
  let printed = "";
  return {
    progress: ({ spec: _, ...progress }) => {
      const line = jsonLine(progress);
      if (line !== printed) console.log(line);
      printed = line;
    },
    end: () => undefined,
  };
}
