/** What programs that tests start know of this process: where programs and their compiled code are, and nothing else. */
export function childEnv(): NodeJS.ProcessEnv {
  const { PATH, HOME, NODE_COMPILE_CACHE } = process.env;
  return { PATH, HOME, NODE_COMPILE_CACHE };
}
