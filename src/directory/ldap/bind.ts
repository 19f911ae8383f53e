// Asks a directory whether a password is that of a DN: a simple bind (RFC 4513, section 5.1.3).
import type { Socket } from 'node:net';
import { BindRequest, PasswordPolicyControl, ProtocolOperation } from 'ldapts';
import { exchange, resultOf } from './exchange.ts';
import type { LdapResult } from './exchange.ts';
import { integerOf, MalformedMessage, readElements } from './message.ts';
import type { Element } from './message.ts';

const OCTET_STRING = 0x04;
const POLICY_ERROR = 0x81;

export interface BindAnswer extends LdapResult {
  /** The error of the password policy control (draft-behera-ldap-password-policy-10, section 6.2). */
  readonly policyError?: number;
}

/**
 * Binds as the first request on its connection, and asks for the password policy control; servers that do not know
 * it pass over it.
 * @param password never empty: that would be an unauthenticated bind, which some servers answer with a yes
 * @throws {Error} without an answer that can be trusted
 */
export async function simpleBind(socket: Socket, dn: string, password: string): Promise<BindAnswer> {
  if (dn === '' || password === '') throw new RangeError('a bind needs a name and a password');
  const controls = [new PasswordPolicyControl()];
  const request = new BindRequest({ messageId: 2, dn, password, controls });
  const [message] = await exchange(socket, request, ProtocolOperation.LDAP_RES_BIND);
  if (!message) throw new MalformedMessage();
  return { ...resultOf(message.operation), ...policyErrorIn(message.controls) };
}

function policyErrorIn(controls: readonly Element[]): { policyError?: number } {
  for (const control of controls) {
    const [type, ...rest] = readElements(control.value);
    if (type?.value.toString('latin1') !== PasswordPolicyControl.type) continue;
    const content = rest.find(({ tag }) => tag === OCTET_STRING);
    const [sequence] = content ? readElements(content.value) : [];
    const error = sequence && readElements(sequence.value).find(({ tag }) => tag === POLICY_ERROR);
    return error ? { policyError: integerOf(error) } : {};
  }
  return {};
}
