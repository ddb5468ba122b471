import type { FastifyRequest } from "fastify";
import { HttpProblem } from "../http/problem.ts";

/** Why a stream ends although its reader still reads. */
export type SeatEnd = "closing" | "replaced";

/** A place that an open stream takes. */
type Seat = {
  readonly owner: string;
  /** Which browser it is, of a reader that may be one. */
  readonly browser: string | undefined;
  readonly end: (why: SeatEnd) => void;
};

type Taking = {
  /** `refuse` with 429, or end the `oldest` of this reader's, where it has too many: pages that nobody looks at any more must not keep the newest out. */
  readonly beyond: "refuse" | "oldest";
  /** Called when the stream has to end before its reader leaves. */
  readonly end: (why: SeatEnd) => void;
};

const MAX_STREAMS = 500;
/** So that one who opens many leaves places for others. Half: a wall of screens, or the programs of a team, share a name. */
const MAX_OWN_STREAMS = 250;

/**
 * A browser has so many HTTP/1.1 connections to one place. When all of them are streams, it can ask for nothing else: neither for a page nor for
 * a seventh stream. https://developer.mozilla.org/en-US/docs/Web/API/Server-sent_events/Using_server-sent_events
 */
const BROWSER_CONNECTIONS = 6;
/** One for the stream that waits, one for everything else. */
const FREED = 2;
/** Whoever opens many at once is past that number by then, and so no browser. Milliseconds. */
const SETTLED_MS = 1000;

/** Who has how many event streams open. Nobody is kept out by what others hold: whoever holds most makes room. */
export function createStreamSeats() {
  /** In the order in which they were taken. */
  const seats = new Set<Seat>();
  const timers = new Set<NodeJS.Timeout>();

  const endOldest = (held: readonly Seat[], count = 1) => {
    for (const seat of held.slice(0, count)) {
      seats.delete(seat);
      seat.end("replaced");
    }
  };
  const makeRoom = ({ owner }: Seat, isOpen: boolean, beyond: Taking["beyond"]) => {
    const byOwner = Map.groupBy(seats, (seat) => seat.owner);
    const own = byOwner.get(owner) ?? [];
    const isFull = seats.size >= MAX_STREAMS;
    // Without a login everybody is the same one, and there is nobody to leave places for.
    if (!isFull && (isOpen || own.length < MAX_OWN_STREAMS)) return;
    const most = [...byOwner.values()].reduce((a, b) => (b.length > a.length ? b : a), own);
    if (most === own && beyond === "refuse") throw tooMany(own.length);
    endOldest(own.length >= MAX_OWN_STREAMS ? own : most);
  };
  const lookAfter = (browser: string) => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      const held = [...seats].filter((seat) => seat.browser === browser);
      if (held.length === BROWSER_CONNECTIONS) endOldest(held, FREED);
    }, SETTLED_MS);
    timers.add(timer.unref());
  };

  return {
    count: () => seats.size,
    /** Takes a place for the stream that answers a request. What it returns gives the place back. */
    take(request: FastifyRequest, { beyond, end }: Taking): () => void {
      const seat: Seat = { owner: ownerOf(request), browser: browserOf(request), end };
      makeRoom(seat, request.identity?.kind === "open", beyond);
      seats.add(seat);
      if (seat.browser !== undefined) lookAfter(seat.browser);
      return () => void seats.delete(seat);
    },
    close(): void {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
      for (const { end } of seats) end("closing");
      seats.clear();
    },
  };
}

function ownerOf({ identity, ip }: FastifyRequest): string {
  return identity === undefined ? `address ${ip}` : `${identity.kind} ${identity.name}`;
}

/** Programs show a token, or hang up after each answer; over HTTP/2 streams share a connection. */
function browserOf(request: FastifyRequest): string | undefined {
  const { authorization, connection = "", "user-agent": agent = "" } = request.headers;
  if (request.raw.httpVersionMajor > 1 || authorization !== undefined || !/\bkeep-alive\b/i.test(connection))
    return undefined;
  return `${ownerOf(request)} ${request.ip} ${agent}`;
}

function tooMany(held: number): HttpProblem {
  const why = `you have ${held} event streams open, and may have no more: close some of them, or read several things from one (/api/events?batch=ID)`;
  return new HttpProblem(429, "TooManyStreams", why, { headers: { "retry-after": "10" } });
}
