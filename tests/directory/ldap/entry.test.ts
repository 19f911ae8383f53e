// Entries as servers send them, honest and hostile, and the accounts read out of them.
import { describe, expect, test } from '@jest/globals';
import { accountOf, textsOf } from '../../../src/directory/ldap/entry.ts';
import { entryWith } from '../support/entry-with.ts';

const UUID = '1b671a64-40d5-491e-99b0-da01ff1f3341';

describe('an account', () => {
  test('has the id, the email and the display name of its entry', () => {
    const entry = entryWith({
      entryUUID: [UUID],
      mail: ['ada@example.org'],
      displayName: ['Ada'],
      cn: ['A. L.'],
    });
    expect(entry.dn).toBe('uid=ada,dc=example');
    expect(accountOf(entry)).toEqual({ id: UUID, email: 'ada@example.org', displayName: 'Ada' });
  });

  test('is empty where the entry says nothing', () => {
    expect(accountOf(entryWith({ mail: [], cn: [] }))).toEqual({});
  });

  test('takes the first value of several, and cn where there is no display name', () => {
    const entry = entryWith({ MAIL: ['ada@example.org', 'countess@example.org'], cn: ['Ada', 'Lovelace'] });
    expect(accountOf(entry)).toEqual({ email: 'ada@example.org', displayName: 'Ada' });
  });

  test('has the GUID of Active Directory as Windows prints it', () => {
    const objectGUID = Buffer.from('641a671bd5401e4999b0da01ff1f3341', 'hex');
    expect(accountOf(entryWith({ objectGUID: [objectGUID] }))).toEqual({ id: UUID });
  });

  test('has the same kind of id for a GUID whose bytes pass for text', () => {
    const objectGUID = Buffer.from('sixteen of ASCII');
    expect(accountOf(entryWith({ objectGUID: [objectGUID] })).id).toBe(
      '74786973-6565-206e-6f66-204153434949',
    );
  });

  test('has no id out of a GUID of another length', () => {
    expect(accountOf(entryWith({ objectGUID: [Buffer.alloc(15)] }))).toEqual({});
  });

  test('has the id of the first attribute that has one', () => {
    const nsUniqueId = '66446001-1dd211b2-8a0bf5e6-9ba5e4a1';
    expect(accountOf(entryWith({ nsUniqueId: [nsUniqueId] })).id).toBe(nsUniqueId);
    expect(accountOf(entryWith({ nsUniqueId: [nsUniqueId], entryUUID: [UUID] })).id).toBe(UUID);
  });

  test('has the id that the setting names, and none without it', () => {
    const entry = entryWith({ entryUUID: [UUID], employeeNumber: ['42'] });
    expect(accountOf(entry, 'EmployeeNumber').id).toBe('42');
    expect(() => accountOf(entry, 'ipaUniqueID')).toThrow(
      /no readable ipaUniqueID: correct the setting idAttribute/,
    );
  });

  test('leaves out what is no text or too long', () => {
    const entry = entryWith({
      entryUUID: ['x'.repeat(129)],
      mail: [
        Buffer.from([0xff, 0xfe]),
        `${'a'.repeat(300)}@example.org`,
        'ada@example.org\n',
        'second@example.org',
      ],
      displayName: ['x'.repeat(100_000), ''],
      cn: ['Ada'],
    });
    expect(accountOf(entry)).toEqual({ email: 'second@example.org', displayName: 'Ada' });
  });

  test('does not take an attribute in another language for the attribute', () => {
    expect(accountOf(entryWith({ 'displayName;lang-tlh': ['QonoS'] }))).toEqual({});
  });
});

test('texts of an entry are found without regard to the case of the attribute', () => {
  expect(textsOf(entryWith({ sAMAccountName: ['ada'] }), 'SAMACCOUNTNAME')).toEqual(['ada']);
});
