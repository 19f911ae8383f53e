// Where a test fails, prints what its operators have logged last: in CI nothing else is left of them.
import type { Circus } from '@jest/types';
import exported from 'jest-environment-node';
import { LAST_WORDS } from './last-words-name.ts';

// Its types are those of its CommonJS half.
const NodeEnvironment = exported as unknown as typeof exported.default;

export default class TellingEnvironment extends NodeEnvironment {
  /** Jest waits for it, so what it prints is there before a hook removes the logs. */
  async handleTestEvent({ name }: Circus.AsyncEvent | Circus.SyncEvent): Promise<void> {
    if (name !== 'test_fn_failure' && name !== 'hook_failure') return;
    const lastWords = this.global[LAST_WORDS] as (() => string) | undefined;
    const text = lastWords?.();
    if (text) this.global.console.error(text);
  }
}
