import { expect, test } from "vitest";
import { findProgram } from "../sandbox/redis-engine.ts";
import { runRedisFaults } from "./faults/redis/campaign.ts";

const programs = ["redis-server", "redis-cli"].map((name) => findProgram(name, process.env["PATH"] ?? ""));

// Groups of servers that reach each other by their addresses are nothing that Docker alone gives us.
test.skipIf(programs.includes(undefined)).each(["sentinel kill", "cluster kill"])(
  "a batch outlives its Redis exactly, with all who work with it: %s",
  { concurrent: true, timeout: 240_000 },
  async (filter) => {
    const lines: string[] = [];
    const { cases, failures } = await runRedisFaults({
      rounds: 1,
      objects: 1500,
      filter,
      print: (line) => void lines.push(line),
    });
    expect(cases).toBe(1);
    expect(lines.filter((line) => line.startsWith("FAILED"))).toEqual([]);
    expect(failures).toBe(0);
  },
);
