import "reflect-metadata";
import { Controller, Get, Injectable, Module, ServiceUnavailableException } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { BucketlineClient, BucketlineHealthIndicator, BucketlineModule } from "bucketline/nestjs";

@Injectable()
export class Archive {
  constructor(private readonly bucketline: BucketlineClient) {}

  async move(bucket: string, key: string) {
    const moved = await this.bucketline.run(
      "move-object",
      { object: { bucket, key }, destination: { bucket, key: `archive/${key}` } },
      { timeout: 30_000, idempotencyKey: `archive ${bucket}/${key}` },
    );
    return moved.object;
  }
}

@Controller()
export class AppController {
  constructor(
    private readonly bucketline: BucketlineClient,
    private readonly health: BucketlineHealthIndicator,
  ) {}

  @Get("buckets")
  async buckets() {
    const { buckets } = await this.bucketline.run("list-buckets", {}, { timeout: 30_000 });
    return buckets.map(({ name }) => name);
  }

  @Get("readyz")
  async ready() {
    const health = await this.health.isHealthy();
    if (health.bucketline.status === "down") throw new ServiceUnavailableException(health);
    return health;
  }
}

@Module({
  imports: [
    BucketlineModule.forRootAsync({
      useFactory: () => ({
        redis: process.env["REDIS_URL"] ?? "redis://127.0.0.1:6379",
        prefix: process.env["BUCKETLINE_PREFIX"],
      }),
    }),
  ],
  controllers: [AppController],
  providers: [Archive],
})
export class AppModule {}

export async function start(port: number) {
  const app = await NestFactory.create(AppModule);
  app.enableShutdownHooks(); // SIGTERM closes the client, once requests under way have ended
  await app.listen(port);
  return app;
}
