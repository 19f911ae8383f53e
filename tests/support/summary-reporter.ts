// Ends a test run with one line that scripts can read: `N passed, N failed, N skipped`.
import { writeSync } from 'node:fs';

interface Results {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  /** Suites that did not load, or failed outside a test. */
  numRuntimeErrorTestSuites: number;
  wasInterrupted: boolean;
}

export default class SummaryReporter {
  #error: Error | undefined;

  /** A suite that did not load, or a run without a test, is a failure although no test failed. */
  onRunComplete(_contexts: unknown, results: Results): void {
    const passed = results.numPassedTests;
    let failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    if (passed + failed === 0 || (results.wasInterrupted && failed === 0)) {
      failed = 1;
      this.#error = new Error('no test ran, or the run was interrupted');
    }
    const skipped = results.numPendingTests + results.numTodoTests;
    // When the process exits, since Jest's own summary and the teardown come after this.
    process.once('exit', () => writeSync(1, `${passed} passed, ${failed} failed, ${skipped} skipped\n`));
  }

  /** Jest ends with an exit code of 1 where a reporter names an error. */
  getLastError(): Error | undefined {
    return this.#error;
  }
}
