// What an operator knows beside its caches, where nothing stands in the way of a token; a test says what is otherwise.
import type { Ledger } from '../../../src/controllers/users/ledger.ts';
import type { Caches } from '../../../src/observation/caches.ts';
import type { Surroundings } from '../../../src/observation/observe.ts';
import { KID, NO_LICENSE } from '../../domain/pictures.ts';

export function surroundingsOf(
  caches: Caches,
  { written, claimed }: Pick<Ledger, 'written' | 'claimed'>,
  otherwise: Partial<Surroundings> = {},
): Surroundings {
  return {
    caches,
    settings: { portal: 'https://portal.test', operatorNamespace: 'latchkey' },
    license: () => NO_LICENSE,
    cannotMint: () => undefined,
    publishedKeys: () => new Set([KID]),
    written,
    claimed,
    permission: () => undefined,
    directory: () => undefined,
    ...otherwise,
  };
}
