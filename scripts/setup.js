// What `npm start` and `npm test` need before they can run: the dependencies (Node 24 among them) and a way to Redis.
// npm runs this with whatever Node the machine has, before node_modules exists: Node's builtins only, no newer than 18.
import { installDependencies } from "./install-dependencies.js";
import { ensureRedis } from "./ensure-redis.js";

try {
  installDependencies();
  ensureRedis();
} catch (error) {
  process.stderr.write(`\nsetup: ${error instanceof Error ? error.message : String(error)}\n\n`);
  process.exitCode = 1;
}
