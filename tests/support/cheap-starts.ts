// What makes the starts of programs cheap in a run of the tests, for those that get an environment of their own.

/** Names of variables that the global setup sets. */
const NAMES = ['NODE_COMPILE_CACHE', 'GOGC'];

export function cheapStarts(): Record<string, string> {
  return Object.fromEntries(
    NAMES.map((name) => [name, process.env[name] ?? '']).filter(([, value]) => value),
  );
}
