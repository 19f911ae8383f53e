// Sends one LDAP request and waits for its answer, on a connection that nobody else uses.
import type { Socket } from 'node:net';
import { FaultyAnswer } from '../fault.ts';
import { integerOf, MalformedMessage, messageLength, readElements, readMessage } from './message.ts';
import type { Element, LdapMessage } from './message.ts';

// Two entries with a handful of attributes each fit many times; a directory that sends more is not answering us.
const MAX_ANSWER_BYTES = 256 * 1024;
// One entry with a handful of attributes. A message is kept until it is whole, and what it takes apart is a hundred
// times as large in memory.
const MAX_MESSAGE_BYTES = 1024 * 1024;

/** A request of ldapts, which does the encoding. */
export interface Request {
  readonly messageId: number;
  write(): Buffer;
}

/** RFC 4511, section 4.1.9. */
export interface LdapResult {
  readonly resultCode: number;
  /** The server's own words. They may repeat what was asked: not for people, not for logs. */
  readonly diagnostic: string;
}

/**
 * Sends a request and reads its answer: any number of messages with the operations `before`, then one with `last`.
 * The socket carries no time-out: destroy it, and this rejects.
 *
 * Why not the Client of ldapts 9.2: it takes a BindResponse without a result code for a success, believes what was
 * sent in clear text behind the answer to StartTLS, and loops for ever on some malformed messages.
 * @throws {Error} where the connection breaks, or the answer is not exactly one to this request
 */
export async function exchange(
  socket: Socket,
  request: Request,
  last: number,
  before: readonly number[] = [],
): Promise<LdapMessage[]> {
  const messages: LdapMessage[] = [];
  for await (const message of answersTo(socket, request, { last, before, maxBytes: MAX_ANSWER_BYTES }))
    messages.push(message);
  return messages;
}

export interface AnswerShape {
  /** The operation of the message that ends the answer. */
  readonly last: number;
  /** The operations of those that may come before. */
  readonly before: readonly number[];
  /** For all of the answer. */
  readonly maxBytes: number;
  /** For one of its messages, where the answer has no end. */
  readonly maxMessageBytes?: number;
}

/** As `exchange`, message by message, for answers that are too long to be kept. */
export async function* answersTo(
  socket: Socket,
  request: Request,
  { last, before, maxBytes, maxMessageBytes = maxBytes }: AnswerShape,
): AsyncGenerator<LdapMessage, void, undefined> {
  socket.write(request.write());
  let received = 0;
  let bytes: Buffer = Buffer.alloc(0);
  const wholeLength = () => wholeMessage(bytes, maxMessageBytes);
  const chunks: AsyncIterable<Buffer> = socket.iterator({ destroyOnReturn: false });
  for await (const chunk of chunks) {
    received += chunk.length;
    if (received > maxBytes) throw tooLong();
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    for (let length = wholeLength(); length > 0; length = wholeLength()) {
      const message = readMessage(bytes.subarray(0, length));
      bytes = bytes.subarray(length);
      // 0 is a notice of disconnection (RFC 4511, section 4.4.1).
      if (message.id !== request.messageId) throw new FaultyAnswer('CutOff', 'it ended the conversation');
      if (message.operation.tag === last) {
        if (bytes.length > 0) throw new FaultyAnswer('Malformed', 'it sent more than an answer');
        yield message;
        return;
      }
      if (!before.includes(message.operation.tag))
        throw new FaultyAnswer('Malformed', 'it answered something else');
      yield message;
    }
  }
  throw new FaultyAnswer('CutOff', 'it closed the connection');
}

/**
 * The result that a BindResponse, SearchResultDone or ExtendedResponse carries.
 * @throws {MalformedMessage}
 */
export function resultOf(operation: Element): LdapResult {
  const [code, , diagnostic] = readElements(operation.value);
  if (!code || !diagnostic) throw new MalformedMessage();
  return { resultCode: integerOf(code), diagnostic: diagnostic.value.toString('utf8') };
}

function wholeMessage(bytes: Buffer, maxBytes: number): number {
  const length = messageLength(bytes) ?? 0;
  if (length > Math.min(maxBytes, MAX_MESSAGE_BYTES)) throw tooLong();
  return length <= bytes.length ? length : 0;
}

function tooLong(): FaultyAnswer {
  return new FaultyAnswer('TooLong', 'its answer is too long');
}
