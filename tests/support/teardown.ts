// After all suites: ends what the global setup has started, which runs in the same process.
let teardown: (() => Promise<void>) | undefined;

export function setTeardown(ends: () => Promise<void>): void {
  teardown = ends;
}

export default async function globalTeardown(): Promise<void> {
  await teardown?.();
}
