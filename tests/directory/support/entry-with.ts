// An entry as a server would send it.
import { Attribute, BerWriter } from 'ldapts';
import { readEntry } from '../../../src/directory/ldap/entry.ts';
import type { Entry } from '../../../src/directory/ldap/entry.ts';
import { readElements } from '../../../src/directory/ldap/message.ts';

/** Through the bytes that a server would send. */
export function entryWith(attributes: Record<string, readonly (string | Buffer)[]>): Entry {
  const writer = new BerWriter();
  writer.startSequence(0x64);
  writer.writeString('uid=ada,dc=example');
  writer.startSequence();
  for (const [type, values] of Object.entries(attributes)) {
    new Attribute({ type, values: values.map((value) => Buffer.from(value)) }).write(writer);
  }
  writer.endSequence();
  writer.endSequence();
  const [operation] = readElements(writer.buffer);
  if (!operation) throw new Error('nothing was written');
  return readEntry(operation);
}
