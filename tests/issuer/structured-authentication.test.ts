// A real kube-apiserver that trusts the issuer by the example in docs/, and what a bearer of a token can do there.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { parseDocument } from 'yaml';
import { startControlPlane } from '../../dev/cluster/control-plane.ts';
import { runKubectl } from '../../dev/cluster/kubectl.ts';
import { temporaryFolder } from '../../dev/temporary-folder.ts';
import { waitUntil } from '../../dev/wait-until.ts';
import type { IdentityClaims } from '../../src/domain/claims.ts';
import { generateKeyPair } from '../../src/issuer/key-pair.ts';
import { newKeyring, PUBLISH_FIRST_MS, rotate, type Keyring } from '../../src/issuer/keyring.ts';
import { signer } from '../../src/issuer/signer.ts';
import { startIssuer } from '../servers/discovery/issuer-server.ts';
import { whoAmI as whoAmIAt } from '../support/who-am-i.ts';
import { ADA, sampleKeyring } from './samples.ts';

const EXAMPLE = join(import.meta.dirname, '../../docs/examples/authentication-configuration.yaml');
const TTL_MS = 30 * 60_000;
const READY_MS = 60_000;
/** A token that the API server has accepted stays in its cache for 10 s, which no flag changes. */
const CACHED_MS = 25_000;
const BEARER: IdentityClaims = { ...ADA, aud: ['latchkey', 'kubernetes'] };

let keyring: Keyring = await sampleKeyring(new Date());
const issuer = await startIssuer(() => keyring, '/identity');
const tokens = signer(() => keyring, issuer.issuerUrl);
const folder = temporaryFolder('latchkey-authentication');
const controlPlane = await startControlPlane({ apiServerFlags: [authentication('example.yaml')] });
const apiServer = whoAmIAt(controlPlane);
afterAll(async () => {
  await apiServer.close();
  await controlPlane.stop();
  await issuer.close();
  folder.remove();
});

/** The flag with the example, its placeholders replaced; with these prefixes in place of its own, where some are given. */
function authentication(name: string, prefix?: string): string {
  const document = parseDocument(readFileSync(EXAMPLE, 'utf8'));
  const set = (path: string[], value: string) => document.setIn(['jwt', 0, ...path], value);
  set(['issuer', 'url'], issuer.issuerUrl);
  set(['issuer', 'certificateAuthority'], issuer.ca);
  if (prefix !== undefined)
    for (const claim of ['username', 'groups']) set(['claimMappings', claim, 'prefix'], prefix);
  const file = join(folder.path, name);
  writeFileSync(file, document.toString());
  return `--authentication-config=${file}`;
}

const { kubectl } = controlPlane.binaries;
const as = (kubeconfig: string, ...args: string[]) => runKubectl({ kubectl, kubeconfig, args });
const asAdmin = (...args: string[]) => as(controlPlane.adminKubeconfig, ...args);

/** Runs kubectl with the token as its only credential. */
function withToken(token: string, ...args: string[]): Promise<string> {
  const server = ['--server', controlPlane.url, '--certificate-authority', controlPlane.caFile];
  return as('/dev/null', ...server, `--token=${token}`, ...args);
}

async function whoAmI(token: string): Promise<unknown> {
  const { status } = JSON.parse(await withToken(token, 'auth', 'whoami', '-o', 'json'));
  return status.userInfo;
}

async function sign(claims: Partial<IdentityClaims> = {}, now = new Date()): Promise<string> {
  return (await tokens.sign({ ...BEARER, ...claims }, TTL_MS, now)).token;
}

/** The API server reads the discovery document after it has said that it is ready. */
function untilTrusted(token: string): Promise<true> {
  return waitUntil('the API server to trust the issuer', READY_MS, () => isAccepted(token));
}

/** Asked again and again; a kubectl for each time would take half of the machine. */
const isAccepted = async (token: string) => (await apiServer.ask(token)) !== undefined;

const UNAUTHORIZED = /Unauthorized|must be logged in/;
const expectRefused = (token: string) => expect(whoAmI(token)).rejects.toThrow(UNAUTHORIZED);
const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

await untilTrusted(await sign());

describe('a token at a kube-apiserver that trusts the issuer', () => {
  it('makes kubectl the user with the prefix', async () => {
    expect(await whoAmI(await sign())).toMatchObject({
      username: 'latchkey:ada',
      uid: ADA.sub,
      groups: ['latchkey:analytics', 'system:authenticated'],
    });
  });

  it('does not open the Secret that it lies in, which the user without the prefix can read', async () => {
    const token = await sign();
    await asAdmin('create', 'namespace', 'ada');
    await asAdmin(
      '-n',
      'ada',
      'create',
      'secret',
      'generic',
      'access-token',
      `--from-literal=AUTH_TOKEN=${token}`,
    );
    const only = ['--verb=get', '--resource=secrets', '--resource-name=access-token'];
    await asAdmin('create', 'clusterrole', 'read-access-token', ...only);
    await asAdmin(
      '-n',
      'ada',
      'create',
      'rolebinding',
      'reader',
      '--clusterrole=read-access-token',
      '--user=ada',
    );

    const read = ['-n', 'ada', 'get', 'secret', 'access-token', '-o', 'jsonpath={.data.AUTH_TOKEN}'];
    const ada = await controlPlane.clientKubeconfig('ada');
    const stored = await waitUntil('the binding to hold', READY_MS, () =>
      as(ada, ...read).catch(() => undefined),
    );
    expect(Buffer.from(stored, 'base64').toString()).toBe(token);
    await expect(withToken(token, ...read)).rejects.toThrow(
      'User "latchkey:ada" cannot get resource "secrets"',
    );
  });

  it('opens what is bound to the name with the prefix', async () => {
    await asAdmin('-n', 'default', 'create', 'configmap', 'note');
    await asAdmin('-n', 'default', 'create', 'role', 'reads-config', '--verb=list', '--resource=configmaps');
    const binding = ['reads-config', '--role=reads-config', '--group=latchkey:analytics'];
    await asAdmin('-n', 'default', 'create', 'rolebinding', ...binding);
    const token = await sign();
    const list = () =>
      withToken(token, '-n', 'default', 'get', 'configmaps', '-o', 'name').catch(() => undefined);
    expect(await waitUntil('the binding to hold', READY_MS, list)).toContain('configmap/note');
  });

  it('is not a member of system:masters, even if it says so', async () => {
    const token = await sign({ groups: ['system:masters'] });
    expect(await whoAmI(token)).toMatchObject({
      groups: ['latchkey:system:masters', 'system:authenticated'],
    });
    await expect(withToken(token, 'get', 'namespaces')).rejects.toThrow('forbidden');
  });
});

describe('refused is', () => {
  it('a token for somebody else', async () => {
    await expectRefused(await sign({ aud: ['latchkey'] }));
  });

  it('an expired token', async () => {
    await expectRefused(await sign({}, new Date(Date.now() - TTL_MS - 1_000)));
  });

  it('a token without a signature', async () => {
    const [, payload] = (await sign()).split('.');
    await expectRefused(`${base64url({ alg: 'none', typ: 'JWT' })}.${payload}.`);
  });

  it('a token whose claims were changed', async () => {
    const [header, payload = '', signature] = (await sign()).split('.');
    const claims: object = JSON.parse(Buffer.from(payload, 'base64url').toString());
    await expectRefused(`${header}.${base64url({ ...claims, preferred_username: 'root' })}.${signature}`);
  });

  it('a token of another key under the name of ours', async () => {
    const { privateKey } = await generateKeyPair();
    const forged = { ...keyring, active: { ...keyring.active, privateKey } };
    const { token } = await signer(() => forged, issuer.issuerUrl).sign(BEARER, TTL_MS, new Date());
    await expectRefused(token);
  });
});

describe('when the keys change', () => {
  it('tokens of the old and of the new key are accepted', async () => {
    const before = await sign();
    keyring = rotate(keyring, await generateKeyPair(), new Date(Date.now() + PUBLISH_FIRST_MS));
    const after = await sign();
    expect(await isAccepted(after)).toBe(true);
    expect(await isAccepted(before)).toBe(true);
  });

  it('a token of a withdrawn key is refused once one of the new keys was seen', async () => {
    const withdrawn = await sign();
    expect(await isAccepted(withdrawn)).toBe(true);
    keyring = newKeyring(await generateKeyPair(), await generateKeyPair(), new Date());
    expect(await isAccepted(await sign())).toBe(true);
    await waitUntil('the withdrawn key to be refused', CACHED_MS, async () => !(await isAccepted(withdrawn)));
    await expectRefused(withdrawn);
    expect(await isAccepted(await sign())).toBe(true);
  });
});

describe('where an admin has taken the prefixes away', () => {
  it('the rules still refuse the names of Kubernetes itself', async () => {
    await controlPlane.restartApiServer({ apiServerFlags: [authentication('without-prefix.yaml', '')] });
    await untilTrusted(await sign());
    expect(await whoAmI(await sign())).toMatchObject({ username: 'ada' });
    await expectRefused(await sign({ preferred_username: 'system:admin' }));
    await expectRefused(await sign({ groups: ['analytics', 'system:masters'] }));
  });
});
