import { Inject, Injectable } from "@nestjs/common";
import { ActivityError } from "../model/activity-error.ts";
import { BucketlineClient } from "./client.ts";

/**
 * How the health of the connection is asked for.
 *
 * @example
 * import { type HealthOptions } from "bucketline/nestjs";
 *
 * export const options: HealthOptions = { timeout: 1000 };
 */
export type HealthOptions = {
  /** For how many milliseconds Redis may take to answer. Default 3,000. */
  readonly timeout?: number | undefined;
};

/** A health indicator's answer, in the form of @nestjs/terminus: `up` with the milliseconds that Redis took, or `down` with the reason. */
export type BucketlineHealth<Key extends string> = Record<
  Key,
  | { readonly status: "up"; readonly milliseconds: number }
  | { readonly status: "down"; readonly code: string; readonly message: string }
>;

const DEFAULT_TIMEOUT_MS = 3000;

/**
 * Tells whether the app can ask for jobs: Redis answers, and takes writes. Workers are no matter of an app's health: jobs wait for them.
 * It never rejects, so it serves @nestjs/terminus and a controller of one's own alike.
 *
 * @example
 * import { BucketlineHealthIndicator } from "bucketline/nestjs";
 *
 * export async function readiness(indicator: BucketlineHealthIndicator) {
 *   const { bucketline } = await indicator.isHealthy("bucketline", { timeout: 1000 });
 *   return bucketline.status === "up";
 * }
 */
export class BucketlineHealthIndicator {
  readonly #client: BucketlineClient;

  constructor(client: BucketlineClient) {
    this.#client = client;
  }

  async isHealthy<const Key extends string = "bucketline">(
    key: Key = "bucketline" as Key, // what Key is where none is given
    { timeout = DEFAULT_TIMEOUT_MS }: HealthOptions = {},
  ): Promise<BucketlineHealth<Key>> {
    return { [key]: await this.#ask(timeout) } as BucketlineHealth<Key>; // one property, named by the key
  }

  async #ask(timeout: number): Promise<BucketlineHealth<string>[string]> {
    try {
      return { status: "up", milliseconds: await this.#client.ping({ timeout }) };
    } catch (error) {
      if (!(error instanceof ActivityError)) throw error;
      return { status: "down", code: error.code, message: error.message };
    }
  }
}

// What decorators would do; Node runs these files as they are, and knows no decorators.
Injectable()(BucketlineHealthIndicator);
Inject(BucketlineClient)(BucketlineHealthIndicator, undefined, 0);
