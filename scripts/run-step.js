import { spawn } from "node:child_process";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const PATH = [join(root, "node_modules/.bin"), process.env.PATH].join(delimiter);

/**
 * Runs one command line as npm would and prints its name, outcome and time. Its output is shown as it comes where `live`,
 * else all at once and only when it failed, so that steps may run side by side.
 */
export async function runStep(name, line, { args = [], live = false, env = {} } = {}) {
  const started = performance.now();
  if (live) console.log(`\n${name}: ${line}`);
  const [command, ...rest] = line.split(" ");
  const { code, output } = await run(command, [...rest, ...args], { live, env });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (code !== 0 && output) console.log(`\n${output.trimEnd()}`);
  console.log(`${code === 0 ? "ok    " : "FAILED"} ${name.padEnd(14)} ${seconds.padStart(6)} s`);
  return { code };
}

function run(command, args, { live, env }) {
  return new Promise((resolve) => {
    const stdio = live ? ["ignore", "inherit", "inherit"] : ["ignore", "pipe", "pipe"];
    const child = spawn(command, args, { cwd: root, env: { ...process.env, ...env, PATH }, stdio });
    const chunks = [];
    child.stdout?.on("data", (chunk) => chunks.push(chunk));
    child.stderr?.on("data", (chunk) => chunks.push(chunk));
    child.once("error", (error) => resolve({ code: 1, output: `${command}: ${error.message}` }));
    child.once("close", (code, signal) => {
      const output = Buffer.concat(chunks).toString();
      resolve({ code: code ?? 1, output: signal ? `${output}\n${command} was ended by ${signal}` : output });
    });
  });
}
