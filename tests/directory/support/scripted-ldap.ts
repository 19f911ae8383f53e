// An LDAP server that answers as a test tells it, for what no real one can be made to say. Over TLS, as all are.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { Attribute, BerWriter } from 'ldapts';
import { createAuthority } from '../../../dev/certificates.ts';
import { temporaryFolder } from '../../../dev/temporary-folder.ts';
import { messageLength, readElements, readMessage } from '../../../src/directory/ldap/message.ts';
import type { Element } from '../../../src/directory/ldap/message.ts';
import { afterTest } from '../../support/after-test.ts';
import { portOf } from './proxy.ts';

const BIND_REQUEST = 0x60;
const SEARCH_REQUEST = 0x63;
const PAGED_RESULTS = '1.2.840.113556.1.4.319';

export interface ScriptedEntry {
  readonly dn: string;
  readonly attributes: Readonly<Record<string, readonly (string | Buffer)[]>>;
}

/** One answer to one search. */
export interface ScriptedAnswer {
  readonly entries?: readonly ScriptedEntry[];
  /** URLs of SearchResultReference. */
  readonly references?: readonly string[];
  /** 0 by default. */
  readonly resultCode?: number;
  /** Of the control of paged results; without one the server does not page. */
  readonly cookie?: string;
  /** Sent as it is, in place of all the rest. */
  readonly bytes?: Buffer;
  /** Ends the connection behind the entries or the bytes, before the result. */
  readonly cutOff?: boolean;
  /** Says nothing at all. */
  readonly silent?: boolean;
}

export interface ScriptedSearch {
  readonly messageId: number;
  readonly baseDN: string;
  /** How many searches there were before, not counting those at the root. */
  readonly before: number;
}

export interface ScriptedLdap {
  readonly url: string;
  readonly caPem: string;
  /** How often somebody searched, not counting searches at the root. */
  searches(): number;
  connections(): number;
}

export interface Script {
  /** The result of every bind; 0 by default. */
  readonly bind?: () => number;
  /** What the entry at the root holds. */
  readonly root?: ScriptedEntry['attributes'];
  readonly search: (search: ScriptedSearch) => ScriptedAnswer;
}

/** It goes when the test ends. */
export async function startScriptedLdap(script: Script): Promise<ScriptedLdap> {
  const folder = temporaryFolder('latchkey-scripted-ldap');
  const authority = await createAuthority(join(folder.path, 'pki'), 'scripted directory CA');
  const serving = await authority.issue({ name: 'ldap', commonName: 'ldap', hosts: ['127.0.0.1'] });
  const caPem = readFileSync(authority.certFile, 'utf8');
  const open = new Set<TLSSocket>();
  let searches = 0;
  let connections = 0;

  function answer(socket: TLSSocket, bytes: Buffer): void {
    const { id, operation } = readMessage(bytes);
    if (operation.tag === BIND_REQUEST) socket.write(result(id, 0x61, script.bind?.() ?? 0));
    else if (operation.tag === SEARCH_REQUEST) respond(socket, id, operation);
    else socket.destroy();
  }

  function respond(socket: TLSSocket, messageId: number, operation: Element): void {
    const baseDN = readElements(operation.value)[0]?.value.toString('utf8') ?? '';
    if (baseDN === '') {
      socket.write(entryMessage(messageId, { dn: '', attributes: script.root ?? {} }));
      socket.write(result(messageId, 0x65, 0));
      return;
    }
    const said = script.search({ messageId, baseDN, before: searches });
    searches += 1;
    if (said.silent) return;
    if (said.bytes) {
      socket.write(said.bytes);
      if (said.cutOff) socket.end();
      return;
    }
    for (const entry of said.entries ?? []) socket.write(entryMessage(messageId, entry));
    for (const reference of said.references ?? []) socket.write(referenceMessage(messageId, reference));
    if (said.cutOff) return void socket.end();
    socket.write(result(messageId, 0x65, said.resultCode ?? 0, said.cookie));
  }

  const server = createServer(
    { cert: readFileSync(serving.certFile), key: readFileSync(serving.keyFile) },
    (socket) => {
      connections += 1;
      open.add(socket);
      let bytes: Buffer = Buffer.alloc(0);
      socket.on('error', () => socket.destroy()).on('close', () => open.delete(socket));
      socket.on('data', (chunk: Buffer) => {
        bytes = Buffer.concat([bytes, chunk]);
        for (let length = messageLength(bytes); length !== undefined && length <= bytes.length;) {
          answer(socket, bytes.subarray(0, length));
          bytes = bytes.subarray(length);
          length = bytes.length === 0 ? undefined : messageLength(bytes);
        }
      });
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterTest(async () => {
    for (const socket of open) socket.destroy();
    server.close();
    await once(server, 'close');
    folder.remove();
  });
  return {
    url: `ldaps://127.0.0.1:${portOf(server.address())}`,
    caPem,
    searches: () => searches,
    connections: () => connections,
  };
}

function message(messageId: number, write: (writer: BerWriter) => void): Buffer {
  const writer = new BerWriter();
  writer.startSequence();
  writer.writeInt(messageId);
  write(writer);
  writer.endSequence();
  return writer.buffer;
}

export function entryMessage(messageId: number, { dn, attributes }: ScriptedEntry): Buffer {
  return message(messageId, (writer) => {
    writer.startSequence(0x64);
    writer.writeString(dn);
    writer.startSequence();
    for (const [type, values] of Object.entries(attributes))
      new Attribute({ type, values: values.map((value) => Buffer.from(value)) }).write(writer);
    writer.endSequence();
    writer.endSequence();
  });
}

function referenceMessage(messageId: number, url: string): Buffer {
  return message(messageId, (writer) => {
    writer.startSequence(0x73);
    writer.writeString(url);
    writer.endSequence();
  });
}

/** @param tag of a BindResponse or a SearchResultDone */
export function result(messageId: number, tag: number, resultCode: number, cookie?: string): Buffer {
  return message(messageId, (writer) => {
    writer.startSequence(tag);
    writer.writeEnumeration(resultCode);
    writer.writeString('');
    writer.writeString('what the server says');
    writer.endSequence();
    if (cookie === undefined) return;
    writer.startSequence(0xa0);
    writer.startSequence();
    writer.writeString(PAGED_RESULTS);
    const value = new BerWriter();
    value.startSequence();
    value.writeInt(0);
    value.writeString(cookie);
    value.endSequence();
    writer.writeBuffer(value.buffer, 0x04);
    writer.endSequence();
    writer.endSequence();
  });
}
