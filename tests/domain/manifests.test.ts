import { describe, expect, test } from '@jest/globals';
import {
  bindingManifest,
  namespaceManifest,
  newSecretManifest,
  secretInPlace,
} from '../../src/domain/manifests.ts';
import { ada, NOW } from './pictures.ts';

const user = ada({ spec: { namespace: 'lovelace', username: 'Ada@example.org' } });
const TOKEN = { token: 'header.payload.signature', expiresAt: NOW, session: 's', claims: 'c', kid: 'k' };
const ABSENCE = { reason: 'NotSignedIn', message: 'Sign in.' };

test('a namespace says that it was made, for whom, and what its Pods may do', () => {
  expect(namespaceManifest(user, 'baseline')).toEqual({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: 'lovelace',
      labels: {
        'app.kubernetes.io/managed-by': 'latchkey',
        'latchkey.dev/user-uid': 'uid-ada',
        'latchkey.dev/namespace': 'made',
        'pod-security.kubernetes.io/enforce': 'baseline',
      },
      annotations: { 'latchkey.dev/user': 'ada' },
    },
  });
});

test('a RoleBinding lets one user, and nobody else, read the Secret', () => {
  expect(bindingManifest(user, 'Ada@example.org')).toMatchObject({
    metadata: {
      name: 'latchkey-read-access-token',
      namespace: 'lovelace',
      labels: { 'latchkey.dev/user-uid': 'uid-ada' },
    },
    roleRef: {
      apiGroup: 'rbac.authorization.k8s.io',
      kind: 'ClusterRole',
      name: 'latchkey-read-access-token',
    },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'Ada@example.org' }],
  });
});

describe('a Secret', () => {
  const version = { uid: 'uid-secret', resourceVersion: '42' };

  test('with a token holds it under one key, and says when it expires and whose session it is of', () => {
    expect(secretInPlace(user, TOKEN, version)).toEqual({
      type: 'Opaque',
      metadata: {
        name: 'access-token',
        namespace: 'lovelace',
        labels: { 'app.kubernetes.io/managed-by': 'latchkey', 'latchkey.dev/user-uid': 'uid-ada' },
        annotations: {
          'latchkey.dev/user': 'ada',
          'latchkey.dev/expires-at': '2030-01-01T12:00:00.000Z',
          'latchkey.dev/session': 's',
          'latchkey.dev/claims-digest': 'c',
        },
        uid: 'uid-secret',
        resourceVersion: '42',
        managedFields: [{}],
      },
      data: { AUTH_TOKEN: new TextEncoder().encode(TOKEN.token) },
    });
  });

  test('without one has no data at all, and says why', () => {
    const manifest = secretInPlace(user, ABSENCE, version);
    expect(manifest.data).toEqual({});
    expect(manifest.metadata.annotations).toEqual({
      'latchkey.dev/user': 'ada',
      'latchkey.dev/reason': 'NotSignedIn',
      'latchkey.dev/message': 'Sign in.',
    });
  });

  test('that replaces another names its version, so that nothing else is overwritten', () => {
    expect(secretInPlace(user, ABSENCE, version).metadata).toMatchObject(version);
  });

  test('that is new names a version that none has, so that nothing at all is overwritten', () => {
    const { metadata } = newSecretManifest(user, ABSENCE);
    expect(metadata).toMatchObject({ resourceVersion: '1' });
    expect(metadata).not.toHaveProperty('uid');
  });
});
