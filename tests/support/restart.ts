// One operator ends in good order and another one begins, with something done while there is none.
import { startOperator, type OperatorOptions } from '../../dev/latchkey/operator.ts';
import type { Latchkey } from './latchkey.ts';

export async function restartAfter(
  latchkey: Latchkey,
  meanwhile: () => Promise<unknown>,
  options?: OperatorOptions,
): Promise<void> {
  await latchkey.operator.stop();
  latchkey.operator.remove();
  await meanwhile();
  latchkey.operator = await startOperator(latchkey.cluster, options);
}
