import { expect, test } from '@jest/globals';
import { Appointments } from '../../../src/controllers/queue/appointments.ts';

const at = (key: string, time: number) => ({ key, at: time, urgency: time });

test('each key comes up once, at the time that was said last', () => {
  const appointments = new Appointments();
  for (const [key, time] of [['a', 30], ['b', 10], ['c', 20], ['b', 40], ['c', 5]] as const) appointments.make(at(key, time)); // prettier-ignore
  expect(appointments.next).toBe(5);
  expect(appointments.takeDue(4)).toEqual([]);
  expect(appointments.takeDue(30)).toEqual([at('c', 5), at('a', 30)]);
  expect(appointments.takeDue(100)).toEqual([at('b', 40)]);
  expect(appointments.next).toBeUndefined();
});

test('one that is called off does not come up, and neither does an older one of its key', () => {
  const appointments = new Appointments();
  appointments.make(at('a', 10));
  appointments.make(at('a', 20));
  appointments.cancel('a');
  expect(appointments.next).toBeUndefined();
  appointments.make(at('a', 30));
  expect(appointments.takeDue(25)).toEqual([]);
  expect(appointments.takeDue(30)).toEqual([at('a', 30)]);
});

test('what was replaced does not fill the memory until its hour has come', () => {
  const appointments = new Appointments();
  for (let n = 0; n < 100; n++) appointments.make(at(`key-${n}`, 1_000_000 + n));
  let most = 0;
  for (let round = 0; round < 10_000; round++) {
    const key = `key-${round % 100}`;
    appointments.cancel(key);
    appointments.make(at(key, 1_000_000 + (round % 100)));
    most = Math.max(most, appointments.entries);
  }
  expect(most).toBeLessThanOrEqual(264);
  const taken = appointments.takeDue(2_000_000);
  expect(taken.map(({ key }) => key)).toEqual(Array.from({ length: 100 }, (_, n) => `key-${n}`));
});
