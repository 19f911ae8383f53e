export default {
  transform: {},
  extensionsToTreatAsEsm: ['.ts'],
  testEnvironment: '<rootDir>/tests/support/environment.ts',
  roots: ['<rootDir>/tests'],
  testMatch: ['**/*.test.ts'],
  // The control plane starts when the first suite asks for it, so pure tests alone wait for nothing.
  globalSetup: '<rootDir>/tests/support/global-setup.ts',
  setupFiles: ['<rootDir>/tests/support/die-with-parent.ts', '<rootDir>/tests/support/last-words.ts'],
  globalTeardown: '<rootDir>/tests/support/teardown.ts',
  testSequencer: '<rootDir>/tests/support/sequencer.ts',
  reporters: ['default', '<rootDir>/tests/support/summary-reporter.ts'],
  // Suites with real servers wait more than they work, so four of them keep two processors busy.
  maxWorkers: 4,
  // For what hangs, and nothing else. What a test waits for has a limit of its own, which says what was in vain and what
  // was seen last; Jest says neither. So this is longer than what a test may wait for in all on a busy machine.
  testTimeout: 180_000,
};
