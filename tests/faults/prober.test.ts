// The prober itself: each kind of broken promise is put before it, on paper and on a real API server, and it says so.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { startInstalledCluster } from '../support/installed-cluster.ts';
import { adminKubectl } from '../../dev/latchkey/install.ts';
import { waitUntil } from '../../dev/wait-until.ts';
import { kubernetesClient, type KubernetesClient } from '../../src/kubernetes/client.ts';
import { loadConnection } from '../../src/kubernetes/credentials.ts';
import { Journal } from './prober/journal.ts';
import { boundMs, Judge, type Reading, type ViolationKind } from './prober/judge.ts';
import { startProber } from './prober/prober.ts';
import { readerAs } from './prober/read-as-user.ts';
import { Signatures } from './prober/signatures.ts';
import { Timeline, type Outage, type OutageKind } from './prober/timeline.ts';

const LIFE = { ttlMs: 180_000, minRemainingMs: 60_000 };
const BOUND_MS = 15_000;
const START = Date.parse('2030-01-01T00:00:00Z');

let keys: { readonly privateKey: CryptoKey; readonly jwk: JWK };
let strangers: CryptoKey;
beforeAll(async () => {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  keys = { privateKey, jwk: { ...(await exportJWK(publicKey)), kid: 'published' } };
  strangers = (await generateKeyPair('ES256')).privateKey;
});

interface Claims {
  readonly sub?: string;
  readonly sid?: string;
  /** Milliseconds since 1970; seconds in the token. */
  readonly iat?: number;
  readonly exp?: number;
}

function sign(
  { sub = 'uid-ada', sid = 'first', iat = START, exp = iat + LIFE.ttlMs }: Claims,
  key = keys.privateKey,
  kid = 'published',
): Promise<string> {
  return new SignJWT({ sub, sid, jti: 'jti' })
    .setProtectedHeader({ alg: 'ES256', kid })
    .setIssuedAt(Math.floor(iat / 1_000))
    .setExpirationTime(Math.floor(exp / 1_000))
    .sign(key);
}

describe('on paper', () => {
  let now = START;
  let timeline: Timeline;
  let journal: Journal;
  let judge: Judge;
  let version = 0;

  beforeEach(() => {
    now = START;
    version = 0;
    timeline = new Timeline();
    journal = new Journal(timeline, () => now);
    judge = new Judge(journal, LIFE);
    journal.made('ada', 'uid-ada');
  });

  const signIn = (sid = 'first') => {
    journal.starting('ada', sid);
    journal.started('ada', sid);
  };
  const end = () => {
    journal.ending('ada');
    journal.ended('ada');
  };
  const outage = (kind: OutageKind): Outage => timeline.outage(kind, () => now);

  async function read(claims: Claims | undefined, more: Partial<Reading> = {}): Promise<ViolationKind[]> {
    version += 1;
    const token = claims && (await sign(claims));
    return judge
      .judge({
        namespace: 'ada',
        version,
        token,
        keys: token === undefined ? [] : ['AUTH_TOKEN'],
        sent: now,
        received: now,
        by: 'List',
        ...more,
      })
      .map(({ kind }) => kind);
  }

  test('the time to put something right is half of the margin that the refresh leaves', () => {
    expect(boundMs(LIFE)).toBe(BOUND_MS);
    expect(boundMs({ ttlMs: 1_800_000, minRemainingMs: 600_000 })).toBe(150_000);
  });

  test('a good token breaks nothing, from its first moment to its floor', async () => {
    signIn();
    expect(await read({})).toEqual([]);
    now += 120_000;
    expect(await read({})).toEqual([]);
  });

  test('a token that lives longer than the ttl is too long, however it was read', async () => {
    signIn();
    for (const by of ['List', 'Get', 'Watch'] as const)
      expect(await read({ exp: START + LIFE.ttlMs + 1_000 }, { by })).toEqual(['TooLong']);
  });

  test('a token below the floor is too short', async () => {
    signIn();
    now += 121_000;
    expect(await read({})).toEqual(['TooShort']);
    expect(await read({}, { by: 'Get' })).toEqual(['TooShort']);
    // A watch tells late of what was so.
    expect(await read({}, { by: 'Watch' })).toEqual([]);
  });

  test.each(['NoLeader', 'NoApiServer', 'TooSlow'] as const)(
    'a token below the floor is forgiven while the margin was lost to an outage (%s), and for half a margin after it',
    async (kind) => {
      signIn();
      // The margin begins at 90 s.
      now = START + 100_000;
      const away = outage(kind);
      now += 60_000;
      expect(await read({})).toEqual([]);
      away.over();
      now += BOUND_MS - 1;
      expect(await read({})).toEqual([]);
      now += 1;
      expect(await read({})).toEqual(['TooShort']);
    },
  );

  test('where nothing may be minted, a token below the floor is forgiven while the time to take it away was lost', async () => {
    signIn();
    // The margin begins at 90 s, and the token is to be taken away from 115 s on.
    now = START + 90_000;
    outage('Unmintable');
    now = START + 114_000;
    const slow = outage('TooSlow');
    now = START + 121_000;
    expect(await read({})).toEqual([]);
    slow.over();
    now += 4_999;
    expect(await read({})).toEqual([]);
    now += 1;
    expect(await read({})).toEqual(['TooShort']);
  });

  test('once it may be minted again, a leader has half a margin to replace what was not yet to go', async () => {
    signIn();
    now = START + 90_000;
    const unmintable = outage('Unmintable');
    now = START + 119_000;
    unmintable.over();
    now += BOUND_MS - 1;
    expect(await read({})).toEqual([]);
    now += 1;
    expect(await read({})).toEqual(['TooShort']);
  });

  test('a token below the floor is not forgiven where half of the margin was free', async () => {
    signIn();
    now = START + 90_000 + BOUND_MS;
    outage('NoApiServer');
    now = START + 121_000;
    expect(await read({})).toEqual(['TooShort']);
  });

  test('a token below the floor is not forgiven because none may be minted: then it has to go', async () => {
    signIn();
    outage('Unmintable');
    now += 121_000;
    expect(await read({})).toEqual(['TooShort']);
    now += BOUND_MS;
    expect(await read(undefined)).toEqual([]);
  });

  test('a key for somebody who never signed in, and one for nobody, is found at once', async () => {
    expect(await read({})).toEqual(['NotSignedIn']);
    signIn();
    expect(await read({}, { namespace: 'eve' })).toEqual(['NotSignedIn']);
  });

  test('no key for somebody who is signed in is forgiven for half a margin', async () => {
    signIn();
    now += BOUND_MS - 1;
    expect(await read(undefined)).toEqual([]);
    now += 1;
    expect(await read(undefined)).toEqual(['Missing']);
    expect(await read(undefined, { by: 'Watch' })).toEqual([]);
  });

  test('no key is forgiven while none may be minted, and for half a margin after it', async () => {
    signIn();
    now += 60_000;
    const unmintable = outage('Unmintable');
    now += 10_000;
    expect(await read(undefined)).toEqual([]);
    unmintable.over();
    now += BOUND_MS - 1;
    expect(await read(undefined)).toEqual([]);
    now += 1;
    expect(await read(undefined)).toEqual(['Missing']);
  });

  test('a key that stays after a revocation lingers, from half a margin on', async () => {
    signIn();
    now += 10_000;
    end();
    now += BOUND_MS - 1;
    expect(await read({})).toEqual([]);
    now += 1;
    expect(await read({})).toEqual(['Lingers']);
  });

  test('a key that stays after a revocation is forgiven while no leader could write', async () => {
    signIn();
    const away = outage('NoLeader');
    end();
    now += 60_000;
    expect(await read({})).toEqual([]);
    away.over();
    now += BOUND_MS;
    expect(await read({})).toEqual(['Lingers']);
  });

  test('a key that was gone after a revocation and is back is found at once, by a watch too', async () => {
    signIn();
    expect(await read({})).toEqual([]);
    end();
    expect(await read(undefined)).toEqual([]);
    expect(await read({})).toEqual(['BackAgain']);
    expect(await read({}, { by: 'Watch' })).toEqual(['BackAgain']);
  });

  test('a key that is written for the first time just after a revocation is not back', async () => {
    signIn();
    end();
    expect(await read(undefined)).toEqual([]);
    expect(await read({})).toEqual([]);
    now += BOUND_MS;
    expect(await read({})).toEqual(['Lingers']);
  });

  test('a version that a watch tells of late is not taken for a key that is back', async () => {
    signIn();
    await read({}, { version: 7 });
    end();
    expect(await read(undefined, { version: 9 })).toEqual([]);
    expect(await read({}, { version: 8, by: 'Watch' })).toEqual([]);
  });

  test('the key of an ended session in place of the new one’s is found at once', async () => {
    signIn();
    end();
    signIn('second');
    expect(await read({})).toEqual([]);
    expect(await read({ sid: 'second' })).toEqual([]);
    expect(await read({})).toEqual(['BackAgain']);
  });

  test('a token minted on a cache that was older than five seconds is found', async () => {
    signIn();
    end();
    now += 8_000;
    expect(await read({ iat: START + 6_000 })).toEqual([]);
    expect(await read({ iat: START + 7_000 })).toEqual(['MintedTooLate']);
  });

  test('a token that says it is somebody else’s is found', async () => {
    signIn();
    expect(await read({ sub: 'uid-eve' })).toEqual(['SomebodyElse']);
    expect(await read({ sid: 'unheard-of' })).toEqual(['SomebodyElse']);
  });

  test('a session that is being made in the portal is known when that is done', async () => {
    journal.signingIn('ada');
    expect(await read({})).toEqual([]);
    journal.started('ada', 'second');
    expect(await read({})).toEqual(['SomebodyElse']);
  });

  test('what others have put into the Secret is found once there was time to put it right', async () => {
    const forged = { token: 'forged', keys: ['AUTH_TOKEN'] };
    const stolen = { keys: ['AUTH_TOKEN', 'more'] };
    signIn();
    now += 20_000;
    expect(await read(undefined, forged)).toEqual(['Forged']);
    expect(await read({}, stolen)).toEqual(['MoreThanAToken']);
    journal.disturbed('ada');
    now += BOUND_MS - 1;
    expect(await read(undefined, forged)).toEqual([]);
    expect(await read({ sid: 'unheard-of' }, stolen)).toEqual([]);
    now += 1;
    expect(await read(undefined, forged)).toEqual(['Forged']);
    expect(await read({}, stolen)).toEqual(['MoreThanAToken']);
  });

  test('a refusal to its own user is found once there was time to put it right', () => {
    const refused = () => judge.judgeRefusal('ada', now).map(({ kind }) => kind);
    expect(refused()).toEqual([]);
    signIn();
    now += BOUND_MS - 1;
    expect(refused()).toEqual([]);
    now += 1;
    expect(refused()).toEqual(['Unreadable']);
  });

  test('a key that the JWKS does not publish, and a signature that is not that key’s, is found', async () => {
    const wrong: string[] = [];
    let answers: readonly JWK[] | undefined;
    const signatures = new Signatures(() => Promise.resolve(answers));
    signatures.seen('good', await sign({}), Date.now());
    signatures.seen('forged', await sign({}, strangers), Date.now());
    signatures.seen('unknown', await sign({}, strangers, 'withdrawn'), Date.now());
    const settle = () => signatures.settle((namespace) => wrong.push(namespace));
    await settle();
    expect({ wrong, waiting: signatures.waiting }).toEqual({ wrong: [], waiting: 3 });
    answers = [keys.jwk];
    await settle();
    expect({ wrong, waiting: signatures.waiting }).toEqual({ wrong: ['forged', 'unknown'], waiting: 0 });
  });
});

const cluster = await startInstalledCluster();

describe('on a real API server', () => {
  let admin: KubernetesClient;
  let reader: ReturnType<typeof readerAs>;

  beforeAll(async () => {
    const connection = await loadConnection(cluster.adminKubeconfig);
    admin = kubernetesClient(connection);
    reader = readerAs(connection);
  });
  afterAll(async () => {
    await admin.close();
    await reader.close();
    await cluster.stop();
  });

  function startAll(journal: Journal, life = LIFE) {
    const publishedKeys = () => Promise.resolve([keys.jwk]);
    return startProber({ admin, readAsUser: reader.read, journal, life, publishedKeys });
  }
  const write = (namespace: string, token: string) =>
    admin.request({
      method: 'PATCH',
      path: `/api/v1/namespaces/${namespace}/secrets/access-token`,
      query: { fieldManager: 'test', force: true },
      contentType: 'application/apply-patch+yaml',
      body: {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'access-token' },
        ...(token !== '' && { data: { AUTH_TOKEN: btoa(token) } }),
      },
    });

  test('it sees what it should, and a key that was back for a moment only', async () => {
    const journal = new Journal(new Timeline());
    for (const name of ['ada', 'eve', 'grace']) {
      await adminKubectl(cluster)(['create', 'namespace', name]);
      journal.made(name, `uid-${name}`);
    }
    journal.starting('ada', 'first');
    journal.started('ada', 'first');
    const iat = Date.now();
    await write('ada', await sign({ iat }));
    const prober = startAll(journal);
    await prober.nextRound();
    await waitUntil('a good token to be seen', 10_000, () => prober.report().tokens === 1);
    expect(prober.report().violations).toEqual([]);

    // A life so short that every token is below the floor, and nobody may read theirs: no RoleBinding is there.
    const strict = startAll(journal, { ttlMs: 400_000, minRemainingMs: 399_000 });
    await strict.nextRound();
    await waitUntil('the reading as a user to be refused', 10_000, () =>
      strict.report().violations.some(({ kind }) => kind === 'Unreadable'),
    );
    const kinds = new Set((await strict.stop()).violations.map(({ kind }) => kind));
    expect(kinds).toEqual(new Set(['TooShort', 'Unreadable']));

    await write('eve', await sign({ iat, sub: 'uid-eve' }, strangers, 'withdrawn'));
    await prober.nextRound();
    journal.ending('ada');
    await write('ada', '');
    journal.ended('ada');
    await prober.nextRound();
    await write('ada', await sign({ iat }));
    await write('ada', '');
    await waitUntil('all of it to be seen', 10_000, () => {
      const found = new Set(prober.report().violations.map(({ kind }) => kind));
      return found.has('NotSignedIn') && found.has('UnknownKey') && found.has('BackAgain');
    });
    const { violations, lists, reads } = await prober.stop();
    expect(violations.filter(({ namespace }) => namespace === 'grace')).toEqual([]);
    expect(JSON.stringify(violations)).not.toContain('eyJ');
    expect(lists).toBeGreaterThan(2);
    expect(reads).toBeGreaterThan(2);
  });

  test('it says how long it was blind, unless that was the API server’s fault', async () => {
    const timeline = new Timeline();
    const prober = startAll(new Journal(timeline));
    await prober.nextRound();
    const away = timeline.outage('NoApiServer');
    await cluster.stopApiServer();
    await cluster.restartApiServer();
    away.over();
    await prober.nextRound();
    const before = prober.report().longestGapMs;
    // The process itself stands still: what a machine that is too slow does.
    const until = performance.now() + before + 1_000;
    while (performance.now() < until);
    await prober.nextRound();
    expect((await prober.stop()).longestGapMs).toBeGreaterThanOrEqual(before + 1_000);
  });
});
