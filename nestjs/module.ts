import { ConfigurableModuleBuilder, Inject, Module, type OnApplicationShutdown } from "@nestjs/common";
import { createProducer } from "../producer/create.ts";
import type { ProducerOptions } from "../producer/options.ts";
import { BucketlineClient } from "./client.ts";
import { BucketlineHealthIndicator } from "./health.ts";

/**
 * The options of `createProducer`, and whether all modules get the client.
 *
 * @example
 * import { BucketlineModule, type BucketlineModuleOptions } from "bucketline/nestjs";
 *
 * const options: BucketlineModuleOptions = { redis: "redis://127.0.0.1:6379", isGlobal: false };
 * export const imports = [BucketlineModule.forRoot(options)];
 */
export type BucketlineModuleOptions = ProducerOptions & {
  /** Whether modules get the client without importing this one. Default true. */
  readonly isGlobal?: boolean;
};

/** What the class behind `forRootAsync({ useClass })` or `useExisting` has. */
export type BucketlineOptionsFactory = {
  createBucketlineOptions(): Promise<ProducerOptions> | ProducerOptions;
};

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<ProducerOptions>()
  .setClassMethodName("forRoot")
  .setFactoryMethodName("createBucketlineOptions")
  .setExtras({ isGlobal: true }, (definition, { isGlobal }) => ({ ...definition, global: isGlobal }))
  .build();

/**
 * `forRoot(options)` or `forRootAsync({ imports, inject, useFactory | useClass | useExisting })`: gives the app a {@link BucketlineClient}
 * and a {@link BucketlineHealthIndicator} to inject. At shutdown (`app.close()`, or a signal after `app.enableShutdownHooks()`) the
 * client is closed once requests under way have ended.
 *
 * @example
 * import { BucketlineModule } from "bucketline/nestjs";
 *
 * export const imports = [
 *   BucketlineModule.forRootAsync({ useFactory: () => ({ redis: process.env["REDIS_URL"] ?? "redis://127.0.0.1:6379" }) }),
 * ];
 */
export class BucketlineModule extends ConfigurableModuleClass implements OnApplicationShutdown {
  readonly #client: BucketlineClient;

  constructor(client: BucketlineClient) {
    super();
    this.#client = client;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#client.close();
  }
}

// What decorators would do; Node runs these files as they are, and knows no decorators.
Inject(BucketlineClient)(BucketlineModule, undefined, 0);
Module({
  providers: [
    { provide: BucketlineClient, inject: [MODULE_OPTIONS_TOKEN], useFactory: createProducer },
    BucketlineHealthIndicator,
  ],
  exports: [BucketlineClient, BucketlineHealthIndicator],
})(BucketlineModule);
