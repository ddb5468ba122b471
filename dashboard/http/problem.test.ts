import { expect, test } from "vitest";
import { ActivityError } from "../../model/activity-error.ts";
import { problemOf } from "./problem.ts";

test.each(["constructor", "__proto__", "toString", "SomethingOfAStore"])(
  "an error whose code a store calls %j is answered with a number",
  (code) => {
    const { problem, unexpected } = problemOf(new ActivityError(code as "NoSuchKey", "odd"));
    expect([problem.status, problem.code, unexpected]).toEqual([500, "InternalError", true]);
  },
);

test("tells which key holds what another program wrote, and of scripts what they say", () => {
  const plain = Object.assign(new Error("WRONGTYPE Operation against a key holding the wrong kind of value"), {
    command: { name: "hget", args: ["bucketline:head-object:1", "data"] },
  });
  expect(problemOf(plain).problem).toMatchObject({ status: 409, code: "RedisKeyTaken", retryable: false });
  expect(problemOf(plain).problem.detail).toContain("the key bucketline:head-object:1 holds");
  const ofScript = new Error("WRONGTYPE the key a:b holds a list where a set belongs script: abc, on @user_script:3.");
  expect(problemOf(ofScript).problem.detail).toBe(
    "the key a:b holds a list where a set belongs: another program wrote it",
  );
  const ofBullmq = Object.assign(new Error("WRONGTYPE Operation script: abc"), {
    command: { name: "evalsha", args: ["sha", "1", "secret input"] },
  });
  expect(problemOf(ofBullmq).problem.detail).not.toContain("secret");
});
