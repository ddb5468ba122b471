import { setTimeout as delay } from "node:timers/promises";
import type { Benchmark, BenchContext, BenchResult } from "../benchmark.ts";
import type { Figure } from "../results/figure.ts";
import { linesOf, notesOf, openStage, type Way } from "./slow-lines.ts";

/** What goes over the line again where a transfer breaks at 90 %: by a reset of every connection, or with its worker. */
export const resume: Benchmark = {
  name: "resume",
  title: "bytes that are sent again when a transfer breaks at 90 %",
  run: breakAtNinety,
};

type Stage = Awaited<ReturnType<typeof openStage>>;
const WAYS = ["get", "put", "copy"] as const;

async function breakAtNinety(context: BenchContext): Promise<BenchResult> {
  // What is under way when the line breaks is lost, whatever the size.
  const stage = await openStage(context, true);
  const figures: Figure[] = [];
  for (const way of WAYS) figures.push(await reset(context, stage, way));
  let { worker } = stage;
  for (const way of WAYS) {
    context.say(`${way}: killing its worker at 90 %`);
    figures.push(await kill(stage, way, worker.pid));
    worker = await stage.startWorker();
  }
  return {
    figures,
    notes: [
      ...notesOf(stage.size, []),
      "Reset: every connection of the line, when 90 % have passed. Killed: the worker gets SIGKILL then, and another one takes the job over once its lock has run out.",
      "A killed worker takes with it what was under way: twelve ranges of a download, of which whole MiB are kept, or the parts of 5 MiB of an upload that are under way, half of each on average. What it comes to depends on where in them the break falls.",
    ],
  };
}

/** The line that the bytes of a transfer pass once, and how many have. */
function lineOf(stage: Stage, way: Way) {
  const { slow, other } = linesOf(stage);
  const line = way === "copy" ? other : slow;
  const sent = async (): Promise<number> => {
    const { up, down } = await line.state();
    return way === "get" ? down : up;
  };
  return { line, sent };
}

async function reset({ say }: BenchContext, stage: Stage, way: Way): Promise<Figure> {
  const { line, sent } = lineOf(stage, way);
  await line.breakAfter(0);
  await stage.ways[way]();
  const whole = await sent();
  say(`${way}: breaking at 90 %`);
  await line.breakAfter(0.9 * whole);
  await stage.ways[way]();
  const { breaks } = await line.state();
  if (breaks !== 1) throw new Error(`expected the line to break once, it broke ${breaks} times`);
  const again = (100 * ((await sent()) - whole)) / stage.size;
  return { name: `${way}: sent again after a reset`, value: again, unit: "%", bound: { on: "value", atMost: 5 } };
}

async function kill(stage: Stage, way: Way, pid: number): Promise<Figure> {
  const { line, sent } = lineOf(stage, way);
  await line.breakAfter(0);
  const done = stage.ways[way]();
  while ((await sent()) < 0.9 * stage.size) await delay(20);
  process.kill(pid, "SIGKILL");
  const next = await stage.startWorker();
  await done;
  await next.stop();
  const again = (100 * ((await sent()) - stage.size)) / stage.size;
  return { name: `${way}: sent again after a kill`, value: again, unit: "%", bound: { on: "value", atMost: 5 } };
}
