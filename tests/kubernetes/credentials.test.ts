// Which kubeconfigs are good enough, and that what is read from them is read anew when it has to be.
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type TemporaryFolder, temporaryFolder } from '../../dev/temporary-folder.ts';
import { CredentialsError, loadConnection } from '../../src/kubernetes/credentials.ts';
import { podKubeconfig } from '../../src/kubernetes/kubeconfig.ts';

const SECRET = 'hunter2-correct-horse';
const ROOT = join(import.meta.dirname, '../..');
const run = promisify(execFile);

let folder: TemporaryFolder;
beforeEach(() => {
  folder = temporaryFolder('latchkey-credentials');
});
afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
  folder.remove();
});

const at = (name: string) => join(folder.path, name);

/** JSON is YAML. @returns the file's name */
function kubeconfig(cluster: object, user: object = {}): string {
  const file = at('kubeconfig');
  const content = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'here',
    contexts: [{ name: 'here', context: { cluster: 'here', user: 'me' } }],
    clusters: [{ name: 'here', cluster: { server: 'https://127.0.0.1:6443', ...cluster } }],
    users: [{ name: 'me', user }],
  };
  writeFileSync(file, JSON.stringify(content));
  return file;
}

/** Lets time pass for what reads performance.now(), and for what looks at the date of an expiry. */
function later(ms: number): void {
  const clocks = [performance.now() + ms, Date.now() + ms] as const;
  jest.spyOn(performance, 'now').mockReturnValue(clocks[0]);
  jest.useFakeTimers({
    now: clocks[1],
    doNotFake: ['nextTick', 'setImmediate', 'setTimeout', 'performance'],
  });
}
async function refusal(file: string): Promise<string> {
  const error: unknown = await loadConnection(file).catch((caught: unknown) => caught);
  if (!(error instanceof CredentialsError)) throw new Error(`not refused: ${String(error)}`);
  expect(`${error.stack} ${String(error.cause)} ${JSON.stringify(error)}`).not.toContain(SECRET);
  return error.message;
}

describe('a kubeconfig is refused', () => {
  test('that turns TLS verification off', async () => {
    expect(await refusal(kubeconfig({ 'insecure-skip-tls-verify': true }))).toBe(
      'The kubeconfig turns TLS verification off. Give it the certificate-authority of the API server instead.',
    );
  });

  test.each(['http://127.0.0.1:6443', '127.0.0.1:6443', 'ftp://127.0.0.1', 'nonsense'])(
    'whose server is %s',
    async (server) => {
      expect(await refusal(kubeconfig({ server }))).toBe(
        'The server in the kubeconfig has no https:// address. Latchkey speaks to it by TLS only.',
      );
    },
  );

  test('that wants a proxy, rather than go without it', async () => {
    expect(await refusal(kubeconfig({ 'proxy-url': 'http://127.0.0.1:3128' }))).toBe(
      'proxy-url in a kubeconfig is not supported.',
    );
  });

  test('that signs in by a way that kubectl has given up, rather than go without it', async () => {
    expect(await refusal(kubeconfig({}, { 'auth-provider': { name: 'gcp' } }))).toBe(
      'auth-provider in a kubeconfig is not supported. Use a credential plugin (exec) instead.',
    );
  });

  test.each([{ 'as-uid': '7' }, { 'as-groups': ['few-rights'] }, { 'as-user-extra': { scopes: ['x'] } }])(
    'that is somebody else with %j, rather than go without it',
    async (user) => {
      expect(await refusal(kubeconfig({}, { as: 'ada', ...user }))).toContain('may only say "as"');
    },
  );

  test('whose token is in an empty file', async () => {
    writeFileSync(at('token'), '\n');
    expect(await refusal(kubeconfig({}, { tokenFile: at('token') }))).toContain('cannot be read');
  });

  test('whose plugin answers half of a certificate, or nothing', async () => {
    for (const status of ['{"clientCertificateData": "CERT"}', '{}', '{"token": ""}'])
      expect(await refusal(kubeconfig({}, plugin(`echo '{"status": ${status}}'`)))).toContain(
        'cannot be read',
      );
  });

  test('that has no current context', async () => {
    writeFileSync(at('empty'), 'apiVersion: v1\nkind: Config\nclusters: []\ncontexts: []\nusers: []\n');
    expect(await refusal(at('empty'))).toContain('The kubeconfig has no current context.');
  });

  test('that is not there', async () => {
    expect(await refusal(at('missing'))).toBe(
      `The kubeconfig ${at('missing')} cannot be read (ENOENT). Try kubectl with it, which says more.`,
    );
  });

  test('that is no YAML, without a word of what is in it', async () => {
    writeFileSync(at('broken'), `users:\n- name: me\n  user: {token: "${SECRET}\n`);
    expect(await refusal(at('broken'))).toContain('cannot be read');
  });

  test('whose certificate is not there', async () => {
    expect(await refusal(kubeconfig({}, { 'client-certificate': at('missing.crt') }))).toBe(
      'The credentials that the kubeconfig names cannot be read (ENOENT). Try kubectl with it, which says more.',
    );
  });

  test('whose plugin fails, without a word of what it printed', async () => {
    const file = kubeconfig({}, plugin(`echo '{"status": {"token": "${SECRET}' ; exit 0`));
    expect(await refusal(file)).toContain('The credentials that the kubeconfig names cannot be read');
    expect(await refusal(kubeconfig({}, plugin(`echo ${SECRET} >&2; exit 1`)))).toContain('cannot be read');
  });

  test('where there is none at all', async () => {
    const script = `
      import { loadConnection } from './src/kubernetes/credentials.ts';
      await loadConnection().catch((error) => console.log(error.code, error.message));
    `;
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: ROOT,
      env: { HOME: folder.path, PATH: process.env['PATH'] },
    });
    expect(stdout).toBe(
      'KubeconfigUnusable There is no kubeconfig. Name one with --kubeconfig or the variable KUBECONFIG.\n',
    );
  });
});

/** A credential plugin (client.authentication.k8s.io) that is a shell script. */
function plugin(script: string): object {
  const command = at('plugin.sh');
  writeFileSync(command, `#!/bin/sh\n${script}\n`);
  chmodSync(command, 0o700);
  return { exec: { apiVersion: 'client.authentication.k8s.io/v1', command, interactiveMode: 'Never' } };
}

test('server, authority, client certificate and name of the server are taken over', async () => {
  const data = (text: string) => Buffer.from(text).toString('base64');
  const { server, tls } = await loadConnection(
    kubeconfig(
      {
        server: 'https://api.example.org/k8s/clusters/c-1',
        'certificate-authority-data': data('CA'),
        'tls-server-name': 'kubernetes',
      },
      { 'client-certificate-data': data('CERT'), 'client-key-data': data('KEY') },
    ),
  );
  expect(server).toBe('https://api.example.org/k8s/clusters/c-1');
  expect(tls).toEqual({ ca: 'CA', cert: 'CERT', key: 'KEY', servername: 'kubernetes' });
});

test('files may be named instead', async () => {
  for (const name of ['ca', 'cert', 'key']) writeFileSync(at(name), name.toUpperCase());
  const { tls, authorization } = await loadConnection(
    kubeconfig(
      { 'certificate-authority': at('ca') },
      { 'client-certificate': at('cert'), 'client-key': at('key') },
    ),
  );
  expect(tls).toEqual({ ca: 'CA', cert: 'CERT', key: 'KEY' });
  await expect(authorization()).resolves.toEqual({});
});

test('what is written down counts more than a file, as kubectl has it', async () => {
  const data = (text: string) => Buffer.from(text).toString('base64');
  const { tls } = await loadConnection(
    kubeconfig(
      { 'certificate-authority-data': data('CA'), 'certificate-authority': at('missing') },
      {
        'client-certificate-data': data('CERT'),
        'client-certificate': at('missing'),
        'client-key-data': data('KEY'),
        'client-key': at('missing'),
      },
    ),
  );
  expect(tls).toEqual({ ca: 'CA', cert: 'CERT', key: 'KEY' });
});

test.each([
  ['a token', { token: SECRET }, { Authorization: `Bearer ${SECRET}` }],
  ['a name and a password', { username: 'ada', password: 'pw' }, { Authorization: 'Basic YWRhOnB3' }],
  [
    'who somebody wants to be',
    { token: SECRET, as: 'ada' },
    { Authorization: `Bearer ${SECRET}`, 'Impersonate-User': 'ada' },
  ],
  // Kubernetes writes null, or an empty text, where there is nothing.
  ['nothing of what is empty', { token: '', exec: null, 'as-groups': null, username: null }, {}],
])('%s goes into the headers', async (_, user, headers) => {
  const { authorization } = await loadConnection(kubeconfig({}, user));
  await expect(authorization()).resolves.toEqual(headers);
});

describe('the files of $KUBECONFIG', () => {
  const before = process.env['KUBECONFIG'];
  afterEach(() => {
    if (before === undefined) delete process.env['KUBECONFIG'];
    else process.env['KUBECONFIG'] = before;
  });

  /** Writes each into a folder of its own. */
  function name(...files: readonly object[]): void {
    const paths = files.map((content, index) => {
      mkdirSync(at(`${index}`));
      writeFileSync(at(`${index}/config`), JSON.stringify(content));
      return at(`${index}/config`);
    });
    process.env['KUBECONFIG'] = [at('missing'), ...paths].join(':');
  }

  test('are read as one, the first of a name counts, and relative names are meant from each', async () => {
    name(
      {
        'current-context': 'here',
        clusters: null,
        users: [{ name: 'me', user: { tokenFile: 'token' } }],
      },
      {
        'current-context': 'there',
        contexts: [{ name: 'here', context: { cluster: 'here', user: 'me' } }],
        clusters: [
          { name: 'here', cluster: { server: 'https://127.0.0.1:6443', 'certificate-authority': 'ca' } },
          { name: 'of-a-kind-to-come', something: 'else' },
        ],
        users: [{ name: 'me', user: { token: 'second' } }],
      },
    );
    writeFileSync(at('0/token'), 'first\n');
    writeFileSync(at('1/ca'), 'CA');
    const { server, tls, authorization } = await loadConnection();
    expect({ server, tls }).toEqual({ server: 'https://127.0.0.1:6443', tls: { ca: 'CA' } });
    await expect(authorization()).resolves.toEqual({ Authorization: 'Bearer first' });
  });

  test('may not all be missing', async () => {
    process.env['KUBECONFIG'] = at('missing');
    await expect(loadConnection()).rejects.toThrow('cannot be read (ENOENT)');
  });
});

describe('a credential plugin', () => {
  const exec = (more: object, script: string) => {
    const one = plugin(script) as { exec: object };
    return { exec: { ...one.exec, ...more } };
  };

  test('is told about the cluster where it wants to know, and gets its own variables', async () => {
    const file = kubeconfig(
      {
        'certificate-authority-data': Buffer.from('CA').toString('base64'),
        extensions: [{ name: 'client.authentication.k8s.io/exec', extension: { audience: 'a' } }],
      },
      exec(
        { provideClusterInfo: true, args: ['one', 'two'], env: [{ name: 'PROFILE', value: 'work' }] },
        `echo "$KUBERNETES_EXEC_INFO" > ${at('info')}; cat; echo '{"status":{"token":"'$PROFILE-$1-$2'"}}'`,
      ),
    );
    const { authorization } = await loadConnection(file);
    await expect(authorization()).resolves.toEqual({ Authorization: 'Bearer work-one-two' });
    expect(JSON.parse(readFileSync(at('info'), 'utf8'))).toEqual({
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      spec: {
        interactive: false,
        cluster: {
          server: 'https://127.0.0.1:6443',
          'certificate-authority-data': Buffer.from('CA').toString('base64'),
          config: { audience: 'a' },
        },
      },
    });
  });

  test('may make a certificate instead of a token, and stand beside the kubeconfig', async () => {
    const file = kubeconfig(
      {},
      exec(
        { command: './plugin.sh', env: null, args: null },
        `echo '{"status":{"clientCertificateData":"CERT","clientKeyData":"KEY"}}'`,
      ),
    );
    const { tls } = await loadConnection(file);
    expect(tls).toEqual({ cert: 'CERT', key: 'KEY' });
  });

  test('is asked again when what it said has expired, and not before', async () => {
    const expires = new Date(Date.now() + 30_000).toISOString();
    const file = kubeconfig(
      {},
      plugin(`echo x >> ${at('calls')}; echo '{"status":{"token":"t","expirationTimestamp":"${expires}"}}'`),
    );
    const { authorization } = await loadConnection(file);
    const calls = () => readFileSync(at('calls'), 'utf8').length / 2;
    later(11_000);
    await authorization();
    expect(calls()).toBe(1);
    later(31_000);
    await authorization();
    expect(calls()).toBe(2);
  });
});

describe('a Pod', () => {
  test('is who its ServiceAccount is', () => {
    writeFileSync(at('token'), 'of the Pod');
    const pod = (host: string) =>
      podKubeconfig({ KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: '6443' }, folder.path);
    expect(pod('10.0.0.1')).toMatchObject({
      cluster: { server: 'https://10.0.0.1:6443', 'certificate-authority': at('ca.crt') },
      user: { tokenFile: at('token') },
    });
    expect(pod('fd00::1')?.cluster?.server).toBe('https://[fd00::1]:6443');
  });

  test('is only where both are', () => {
    expect(podKubeconfig({ KUBERNETES_SERVICE_HOST: '10.0.0.1' }, folder.path)).toBeUndefined();
    writeFileSync(at('token'), 'of the Pod');
    expect(podKubeconfig({}, folder.path)).toBeUndefined();
  });
});

describe('a token in a file, as a Pod has it,', () => {
  const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
  const user = () => ({ tokenFile: at('token') });

  test('is not read for every request, but again when it may have rotated', async () => {
    writeFileSync(at('token'), 'first');
    const { authorization } = await loadConnection(kubeconfig({}, user()));
    writeFileSync(at('token'), 'second');
    await expect(authorization()).resolves.toEqual(bearer('first'));
    later(11_000);
    await expect(authorization()).resolves.toEqual(bearer('second'));
  });

  test('is read again after a refusal, without waiting until it may have rotated', async () => {
    writeFileSync(at('token'), 'first');
    const { authorization, forget } = await loadConnection(kubeconfig({}, user()));
    writeFileSync(at('token'), 'second');
    later(2_000);
    forget();
    await expect(authorization()).resolves.toEqual(bearer('second'));
  });

  test('is not read again for each of many refusals at once', async () => {
    const file = kubeconfig({}, plugin(`echo x >> ${at('calls')}; echo '{"status":{"token":"t"}}'`));
    const { authorization, forget } = await loadConnection(file);
    const calls = () => readFileSync(at('calls'), 'utf8').length / 2;
    expect(calls()).toBe(1);
    // Read a moment ago: another reading would say the same.
    forget();
    await authorization();
    expect(calls()).toBe(1);
    later(2_000);
    await Promise.all(
      Array.from({ length: 20 }, () => {
        forget();
        return authorization();
      }),
    );
    expect(calls()).toBe(2);
  });

  test('of another cluster, to which somebody has switched the context, is not sent to this one', async () => {
    const { authorization, forget } = await loadConnection(kubeconfig({}, { token: 'first' }));
    kubeconfig({ server: 'https://other.example.org' }, { token: 'second' });
    later(2_000);
    forget();
    await expect(authorization()).rejects.toThrow('The kubeconfig now names another cluster.');
  });

  test('that cannot be read is an error of that request, and the next one tries again', async () => {
    writeFileSync(at('token'), 'first');
    const { authorization } = await loadConnection(kubeconfig({}, user()));
    rmSync(at('token'));
    later(11_000);
    await expect(authorization()).rejects.toThrow('cannot be read (ENOENT)');
    writeFileSync(at('token'), 'second');
    await expect(authorization()).resolves.toEqual(bearer('second'));
  });
});
