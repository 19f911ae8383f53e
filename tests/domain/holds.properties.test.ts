// Whatever comes in whatever order, with restarts in between: nothing is taken away from many without an admin's word.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Hold, TakenAway } from '../../src/api/token-policy.ts';
import { decideHolds, isAccident, WINDOW_MS, type Permission } from '../../src/domain/holds.ts';
import { NOW } from './pictures.ts';

const RUNS = Number(process.env['LATCHKEY_PROPERTY_RUNS'] ?? 3_000);

const happening = fc.oneof(
  { weight: 6, arbitrary: fc.record({ delete: fc.integer({ min: 1, max: 15 }) }) },
  { weight: 3, arbitrary: fc.record({ wait: fc.integer({ min: 1, max: WINDOW_MS }) }) },
  { weight: 2, arbitrary: fc.constant({ confirm: true } as const) },
  { weight: 1, arbitrary: fc.constant({ restart: true } as const) },
);

/** A company of `size` Users, of whom some are being deleted, some are gone, and nobody comes. */
class Company {
  now = NOW.getTime();
  holds: readonly Hold[] = [];
  taken: readonly TakenAway[] = [];
  readonly confirmed = new Set<string>();
  /** Being deleted: under which hold their own status says that they are; undefined where it does not say yet. */
  readonly leaving = new Map<string, string | undefined>();
  readonly size: number;
  readonly gone: { readonly at: number; readonly hold: string | undefined }[] = [];
  #ids = 0;
  #deleted = 0;

  constructor(size: number) {
    this.size = size;
  }

  delete(count: number): void {
    for (let left = count; left > 0 && this.#deleted < this.size; left--)
      this.leaving.set(`uid-${this.#deleted++}`, undefined);
  }

  confirm(): void {
    const open = this.holds.find(({ id }) => !this.confirmed.has(id));
    if (open) this.confirmed.add(open.id);
  }

  decide(): void {
    const { holds, taken, permissions } = decideHolds(
      {
        holds: this.holds,
        taken: this.taken,
        confirmed: this.confirmed,
        affected: [
          {
            cause: 'Deleting',
            subjects: [...this.leaving].map(([key, hold]) => ({ key, hold, certain: true })),
            standing: this.size - this.#deleted,
          },
        ],
        freshId: () => `hold-${this.#ids++}`,
      },
      new Date(this.now),
    );
    Object.assign(this, { holds, taken });
    for (const [key, permission] of permissions.get('Deleting') ?? new Map<string, Permission>()) {
      if (permission.given) {
        this.gone.push({ at: this.now, hold: this.leaving.get(key) });
        this.leaving.delete(key);
      } else this.leaving.set(key, permission.hold);
    }
  }
}

test('in no ten minutes do too many go whom no admin has confirmed, and those who are confirmed all go', () => {
  let held = 0;
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 80 }), fc.array(happening, { maxLength: 30 }), (size, history) => {
      const company = new Company(size);
      for (const next of history) {
        if ('delete' in next) company.delete(next.delete);
        else if ('wait' in next) company.now += next.wait;
        // Whose status does not say yet that it is held, of that a new leader knows nothing.
        else if ('restart' in next) company.delete(1);
        else company.confirm();
        company.decide();
        // Once more, for a hold to end whose last member has gone.
        company.decide();
        const before = structuredClone([company.holds, company.taken, [...company.leaving]]);
        company.decide();
        expect([company.holds, company.taken, [...company.leaving]]).toEqual(before);
      }
      held += company.holds.length;
      const unasked = company.gone.filter(({ hold }) => hold === undefined || !company.confirmed.has(hold));
      for (const { at } of unasked) {
        const together = unasked.filter((other) => other.at >= at && other.at < at + WINDOW_MS).length;
        const left = size - company.gone.filter((other) => other.at < at).length;
        expect(isAccident(together, left)).toBe(false);
      }
      for (const hold of company.leaving.values()) expect(company.confirmed.has(hold ?? '')).toBe(false);
      for (const { hold } of company.gone.filter((one) => one.hold !== undefined))
        expect(company.confirmed.has(hold ?? '')).toBe(true);
    }),
    { numRuns: RUNS },
  );
  expect(held).toBeGreaterThan(RUNS / 20);
});
