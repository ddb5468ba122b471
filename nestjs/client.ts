import type { Producer } from "../producer/create.ts";

/** What {@link BucketlineClient} can do: all that a producer can. */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging -- the class is a name to inject by; what is injected is a producer
export interface BucketlineClient extends Producer {}

/**
 * The producer, as a class to inject by. `BucketlineModule` makes it, and closes it at shutdown.
 *
 * @example
 * import { BucketlineClient } from "bucketline/nestjs";
 *
 * export class Inbox {
 *   readonly #bucketline: BucketlineClient;
 *
 *   constructor(bucketline: BucketlineClient) {
 *     this.#bucketline = bucketline;
 *   }
 *
 *   async names() {
 *     const { objects } = await this.#bucketline.run("list-objects", { bucket: "inbox" }, { timeout: 30_000 });
 *     return objects.map(({ key }) => key);
 *   }
 * }
 */
// oxlint-disable-next-line typescript/no-extraneous-class -- as above
export abstract class BucketlineClient {}
