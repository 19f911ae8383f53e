// In every suite: what its operators have logged last, for the environment to print where a test fails.
import { running } from '../../dev/latchkey/running.ts';
import { LAST_WORDS } from './last-words-name.ts';

Object.assign(globalThis, {
  [LAST_WORDS]: () =>
    [...running]
      .map((one) => `The operator at ${one.portal} has said last:\n${one.lastLines()}`)
      .join('\n\n'),
});
