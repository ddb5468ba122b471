import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { profileProblems } from "./profile-problems.ts";
import type { ProfilesFile } from "./profiles-file.ts";

test("a secret's file that is empty, blank or a directory is a problem, and one with text is none", async () => {
  const dir = await mkdtemp(join(tmpdir(), "bucketline-profiles-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  await Promise.all(
    Object.entries({ empty: "", blank: "\n", full: "canary-7f3a\n" }).map(([name, content]) =>
      writeFile(join(dir, name), content),
    ),
  );
  const profileWith = (file: string) => ({
    provider: { type: "static", accessKeyId: { file: join(dir, "full") }, secretAccessKey: { file } },
  });
  const profiles = {
    a: profileWith(join(dir, "empty")),
    b: profileWith(join(dir, "blank")),
    c: profileWith(dir),
    d: profileWith(join(dir, "full")),
  };
  expect(await profileProblems({ profiles } as unknown as ProfilesFile, {})).toEqual([
    `profiles.a.provider.secretAccessKey.file: expected a readable file at ${join(dir, "empty")}, got an empty one`,
    `profiles.b.provider.secretAccessKey.file: expected a readable file at ${join(dir, "blank")}, got an empty one`,
    `profiles.c.provider.secretAccessKey.file: expected a readable file at ${dir}, got a directory`,
  ]);
});
