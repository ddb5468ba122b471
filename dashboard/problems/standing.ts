import type { Overview } from "../watch/overview.ts";
import type { Problem } from "./interface.ts";

/** What is not as it should be, and lasts until somebody does something: warnings, paused queues, jobs that nobody could read. */
export function standingProblems({ warnings, queues, quarantined }: Overview): Problem[] {
  return [
    ...warnings.map(({ code, severity, message, remedy }): Problem => ({
      id: `warning-${code}`,
      kind: "warning",
      severity,
      title: message,
      count: 1,
      related: code === "no-worker" || code === "unattended" ? [{ path: "/workers", text: "Workers" }] : [],
      remedy,
      actions: [],
    })),
    ...queues
      .filter(({ paused }) => paused)
      .map(({ name, waiting }): Problem => ({
        id: `paused-${name}`,
        kind: "paused",
        severity: "warning",
        title: `The queue ${name} is paused`,
        activity: name,
        count: waiting,
        message: `${waiting} ${waiting === 1 ? "job waits" : "jobs wait"} in it.`,
        related: [
          { path: `/jobs/${name}?state=waiting`, text: name },
          { path: `/audit?kind=queue&id=${name}`, text: "Who paused it" },
        ],
        remedy: "Resume it on its page when the reason is gone.",
        actions: [],
      })),
    ...(quarantined === 0
      ? []
      : [
          {
            id: "quarantine",
            kind: "quarantine",
            severity: "warning",
            title: `${quarantined} ${quarantined === 1 ? "job is" : "jobs are"} in quarantine`,
            count: quarantined,
            related: [{ path: "/quarantine", text: "What was found" }],
            meaning: "A program wrote into Redis what is not JSON, so no worker could read it.",
            remedy: "Correct that program, enqueue the jobs anew, and forget what was found.",
            actions: [],
          } satisfies Problem,
        ]),
  ];
}
