// What the recorder tells a real API server, and that nothing which the API server does holds anybody up.
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { waitUntil } from '../../dev/wait-until.ts';
import { kubernetesClient } from '../../src/kubernetes/client.ts';
import { loadConnection } from '../../src/kubernetes/credentials.ts';
import { EVENTS_PATH, eventRecorder, type EventContent } from '../../src/kubernetes/events.ts';
import { testCluster } from '../support/cluster.ts';
import {
  type Script,
  type ScriptedApiServer,
  startScriptedApiServer,
} from '../support/scripted-api-server.ts';
import { quiet } from './scripted-resource.ts';

const cluster = await testCluster();
const DEADLINE_MS = 60_000;

const SIGNED_IN: EventContent = {
  type: 'Normal',
  reason: 'SignedIn',
  action: 'SignIn',
  note: 'Signed in; a session has begun.',
};

let people = 0;
const somebody = () => {
  people += 1;
  return { apiVersion: 'latchkey.dev/v1alpha1', kind: 'User', name: 'ada', uid: `uid-of-ada-${people}` };
};

describe('on a real API server', () => {
  const clients: { close(): Promise<void> }[] = [];
  afterAll(() => Promise.all(clients.map((client) => client.close())));

  async function recorder() {
    const client = kubernetesClient(await loadConnection(cluster.adminKubeconfig));
    clients.push(client);
    return eventRecorder(client, { instance: `machine_${'x'.repeat(200)}`, log: quiet });
  }

  const eventsOf = async ({ uid }: { uid: string }) => {
    const list = await cluster.kubectl(['get', 'events.events.k8s.io', '-n', 'default', '-o', 'json']);
    const { items } = JSON.parse(list) as { items: { regarding: { uid: string } }[] };
    return items.filter(({ regarding }) => regarding.uid === uid);
  };

  test('an Event about an object without a namespace lies in the namespace default', async () => {
    const ada = somebody();
    const events = await recorder();
    events.record(ada, SIGNED_IN);
    await events.close();
    expect(await eventsOf(ada)).toMatchObject([
      {
        regarding: ada,
        ...SIGNED_IN,
        metadata: { namespace: 'default', name: expect.stringMatching(/^ada\.[0-9a-f]{16}$/) },
        reportingController: 'latchkey.dev/operator',
        reportingInstance: expect.stringMatching(/^machine_x+$/),
      },
    ]);
    expect(events.dropped).toBe(0);
  });

  test('repeats are one Event that counts them', async () => {
    const ada = somebody();
    const events = await recorder();
    for (let times = 0; times < 5; times++) events.record(ada, SIGNED_IN);
    events.record(ada, { ...SIGNED_IN, note: 'Signed in once more.' });
    await events.close();
    const found = await eventsOf(ada);
    expect(found).toHaveLength(2);
    expect(found).toContainEqual(
      expect.objectContaining({
        note: SIGNED_IN.note,
        series: { count: 5, lastObservedTime: expect.any(String) },
      }),
    );
  });

  test('the second one is told at once, and the rest with the last', async () => {
    const ada = somebody();
    const events = await recorder();
    const counts = async () =>
      (await eventsOf(ada)).map((event) => (event as { series?: { count: number } }).series?.count ?? 1);
    const until = (expected: number[]) =>
      waitUntil(
        `counts of ${expected.join()}`,
        DEADLINE_MS,
        async () => (await counts()).join() === expected.join(),
      );
    events.record(ada, SIGNED_IN);
    await until([1]);
    events.record(ada, SIGNED_IN);
    await until([2]);
    for (let times = 0; times < 3; times++) events.record(ada, SIGNED_IN);
    await events.close();
    expect(await counts()).toEqual([5]);
  });

  test('an Event that the API server has forgotten is told anew', async () => {
    const ada = somebody();
    const events = await recorder();
    events.record(ada, SIGNED_IN);
    await waitUntil('the Event', DEADLINE_MS, async () => (await eventsOf(ada)).length === 1);
    await cluster.kubectl(['delete', 'events.events.k8s.io', '-n', 'default', '--all']);
    events.record(ada, SIGNED_IN);
    await events.close();
    expect(await eventsOf(ada)).toMatchObject([{ series: { count: 2 } }]);
  });

  test.each([
    ['é'.repeat(600), `${'é'.repeat(510)}…`],
    [`a${'𝄞'.repeat(300)}`, `a${'𝄞'.repeat(255)}…`],
    ['x'.repeat(1_024), 'x'.repeat(1_024)],
    ['', ''],
  ])('a note that is too long is cut between two characters: %#', async (note, kept) => {
    const ada = somebody();
    const events = await recorder();
    events.record(ada, { ...SIGNED_IN, note });
    await events.close();
    const [event] = (await eventsOf(ada)) as { note?: string }[];
    expect(event?.note ?? '').toBe(kept);
  });
});

describe('whatever the API server does, nobody waits', () => {
  let server: ScriptedApiServer;
  let lines: string[];
  let ending: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const end of ending) await end();
    ending = [];
  });

  async function recorderAgainst(script: Script) {
    server = await startScriptedApiServer(script);
    const client = kubernetesClient(server.connection);
    lines = [];
    const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
    const events = eventRecorder(client, { instance: 'machine', log });
    ending = [() => events.close(), () => client.close(), () => server.close()];
    return events;
  }

  test('while it gives no answer, one request waits, a thousand Events wait, and the others are counted', async () => {
    const events = await recorderAgainst(() => undefined);
    for (let person = 0; person < 3_000; person++) events.record(somebody(), SIGNED_IN);
    // Nothing has been sent yet: not one of them was waited for.
    expect(server.requests).toHaveLength(0);
    await waitUntil('the request', DEADLINE_MS, () => server.requests.length === 1);
    expect(events.dropped).toBe(2_000);
    // Said once, not two thousand times.
    expect(lines).toHaveLength(1);
    await events.close();
    expect(server.requests).toHaveLength(1);
    expect(lines.at(-1)).toContain('left unsent');
  });

  test.each([403, 404, 422])(
    'a refusal with %i is not repeated, and the next Event is told',
    async (status) => {
      let refuse = true;
      const events = await recorderAgainst((_request, answer) => {
        answer.head(refuse ? status : 201);
        answer.end(refuse ? '{"reason":"Forbidden"}' : '{}');
      });
      events.record(somebody(), SIGNED_IN);
      await waitUntil('the refusal', DEADLINE_MS, () => events.dropped === 1);
      refuse = false;
      events.record(somebody(), SIGNED_IN);
      await events.close();
      expect(server.requests).toHaveLength(2);
      expect(events.dropped).toBe(1);
    },
  );

  test.each([429, 500, 503])('what is refused with %i is tried again', async (status) => {
    let tries = 0;
    const events = await recorderAgainst((_request, answer) => {
      tries += 1;
      answer.head(tries === 1 ? status : 201);
      answer.end('{}');
    });
    events.record(somebody(), SIGNED_IN);
    await waitUntil('the second try', DEADLINE_MS, () => tries === 2);
    await events.close();
    expect(events.dropped).toBe(0);
  });

  test('where only the answer is lost, the Event is not told twice', async () => {
    const bodies: string[] = [];
    const events = await recorderAgainst(async (request, answer) => {
      let body = '';
      for await (const chunk of request.body) body += String(chunk);
      bodies.push(`${request.method} ${body}`);
      if (bodies.length === 1) answer.breakConnection();
      else if (request.method === 'POST') {
        answer.head(409);
        answer.end('{"reason":"AlreadyExists"}');
      } else answer.end('{}');
    });
    const ada = somebody();
    events.record(ada, SIGNED_IN);
    await waitUntil('the second try', DEADLINE_MS, () => bodies.length === 2);
    await events.close();
    const [first, second] = bodies;
    expect(second).toBe(first);
    expect(events.dropped).toBe(0);
  });

  test('a closed recorder takes nothing more', async () => {
    const events = await recorderAgainst((_request, answer) => answer.end('{}'));
    await events.close();
    events.record(somebody(), SIGNED_IN);
    await events.close();
    expect(server.requests).toHaveLength(0);
  });

  test('the requests go to one place, one after the other', async () => {
    let open = 0;
    let most = 0;
    const events = await recorderAgainst(async (_request, answer) => {
      open += 1;
      most = Math.max(most, open);
      await delay(5);
      open -= 1;
      answer.end('{}');
    });
    for (let person = 0; person < 20; person++) events.record(somebody(), SIGNED_IN);
    await waitUntil('all of them', DEADLINE_MS, () => server.requests.length === 20);
    await events.close();
    expect(most).toBe(1);
    expect(new Set(server.requests.map(({ path }) => path))).toEqual(new Set([EVENTS_PATH]));
  });
});
