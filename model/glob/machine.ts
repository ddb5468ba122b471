import { classTakes } from "./character-class.ts";
import type { GlobNode } from "./parse.ts";

const SLASH = 0x2f;
/** Ways on from states that are remembered; past this they are forgotten, and worked out again. */
const MAX_REMEMBERED = 2000;

/** A step of a glob; one that takes a character goes on to the next step, `split` and `jump` to those they name. */
type Step =
  | Exclude<GlobNode, { readonly kind: "either" }>
  | { readonly kind: "split"; readonly to: number[] }
  | { readonly kind: "jump"; to: number }
  | { readonly kind: "end" };

/** The steps at which some way through the glob stands, and where each character leads from there. */
type State = { readonly steps: readonly number[]; readonly ends: boolean; readonly ways: Map<number, State> };

/** What is around a place in a text: `*` takes no empty segment, and `**` before a slash ends where one begins. */
type Place = { readonly startsSegment: boolean; readonly endsSegment: boolean };

/**
 * Matches texts by walking all ways through a glob at once (Thompson's construction), and remembers where a character led (a lazy
 * automaton), so that the next text takes one look for each of its characters.
 */
export function createMachine(nodes: readonly GlobNode[]): (text: string) => boolean {
  const steps: Step[] = [];
  append(nodes, steps);
  steps.push({ kind: "end" });
  const states = new Map<string, State>();
  let remembered = 0;
  const stateOf = (active: readonly number[]): State => {
    const name = active.join();
    const known = states.get(name);
    if (known !== undefined) return known;
    const state = { steps: active, ends: active.includes(steps.length - 1), ways: new Map<number, State>() };
    states.set(name, state);
    return state;
  };
  const follow = (from: State, way: number, code: number, place: Place): State => {
    const to = stateOf(advance(steps, from.steps, code, place));
    if (++remembered > MAX_REMEMBERED) {
      remembered = 0;
      states.clear();
      // Also what `from` knew, or the chain of states would live on.
      from.ways.clear();
      return { ...to, ways: new Map() };
    }
    from.ways.set(way, to);
    return to;
  };
  return (text) => {
    let state = stateOf(enterAll(steps, [0], { startsSegment: true, endsSegment: endsSegment(text, 0) }));
    for (let at = 0; at < text.length && state.steps.length > 0;) {
      const code = text.codePointAt(at) ?? 0;
      at += code > 0xffff ? 2 : 1;
      const ends = endsSegment(text, at);
      const way = code * 2 + (ends ? 1 : 0);
      state = state.ways.get(way) ?? follow(state, way, code, { startsSegment: code === SLASH, endsSegment: ends });
    }
    return state.ends;
  };
}

function endsSegment(text: string, at: number): boolean {
  return at === text.length || text.charCodeAt(at) === SLASH;
}

function append(nodes: readonly GlobNode[], steps: Step[]): void {
  for (const node of nodes) {
    if (node.kind !== "either") {
      steps.push(node);
      continue;
    }
    const to: number[] = [];
    const jumps: { kind: "jump"; to: number }[] = [];
    steps.push({ kind: "split", to });
    for (const branch of node.branches) {
      to.push(steps.length);
      append(branch, steps);
      const jump = { kind: "jump" as const, to: 0 };
      jumps.push(jump);
      steps.push(jump);
    }
    for (const jump of jumps) jump.to = steps.length;
  }
}

/** The steps that a character leads to. */
function advance(steps: readonly Step[], active: readonly number[], code: number, place: Place): readonly number[] {
  const next: number[] = [];
  for (const at of active) {
    const step = steps[at];
    if (step !== undefined && takes(step, code)) next.push(staysAt(step) ? at : at + 1);
  }
  return enterAll(steps, next, place);
}

function takes(step: Step, code: number): boolean {
  switch (step.kind) {
    case "literal":
      return step.code === code;
    case "one":
    case "star":
      return code !== SLASH;
    case "class":
      return classTakes(step.class, code);
    case "globstar":
    case "segments":
      return true;
    case "split":
    case "jump":
    case "end":
  }
  return false;
}

const staysAt = ({ kind }: Step): boolean => kind === "star" || kind === "globstar" || kind === "segments";

/** Those steps, and all that follow from them without a character, in a fixed order. Steps lead forwards only, so this ends. */
function enterAll(steps: readonly Step[], from: readonly number[], place: Place): readonly number[] {
  const entered = new Set<number>();
  const enter = (at: number): void => {
    if (entered.has(at)) return;
    entered.add(at);
    const step = steps[at];
    if (step?.kind === "split") for (const to of step.to) enter(to);
    else if (step?.kind === "jump") enter(step.to);
    else if (step !== undefined && staysAt(step) && mayLeave(step, place)) enter(at + 1);
  };
  for (const at of from) enter(at);
  return [...entered]
    .filter((at) => steps[at]?.kind !== "split" && steps[at]?.kind !== "jump")
    .toSorted((a, b) => a - b);
}

function mayLeave({ kind }: Step, { startsSegment, endsSegment: ends }: Place): boolean {
  if (kind === "star") return !(startsSegment && ends);
  return kind === "segments" ? startsSegment : true;
}
