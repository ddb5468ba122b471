// What `npm start` and `npm test` need before they can run: the dependencies (Node 24 among them) and a way to Redis; for the tests
// (`setup.js tests`) a browser and Python as well.
// npm runs this with whatever Node the machine has, before node_modules exists: Node's builtins only, no newer than 18.
import { installDependencies } from "./install-dependencies.js";
import { ensureRedis } from "./ensure-redis.js";
import { ensureTestTools } from "./ensure-test-tools.js";

try {
  installDependencies();
  ensureRedis();
  if (process.argv.includes("tests")) ensureTestTools();
} catch (error) {
  process.stderr.write(`\nsetup: ${error instanceof Error ? error.message : String(error)}\n\n`);
  process.exitCode = 1;
}
