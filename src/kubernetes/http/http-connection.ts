// One TLS connection that carries one request at a time.
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { AnswerReader, type WholeAnswer } from './answer-reader.ts';

/** Somebody who waits for an answer: whichever is called first is what comes of it. */
export interface Question {
  readonly bytes: Buffer;
  /** Set while a connection carries it. */
  carrier?: HttpConnection;
  answered(answer: WholeAnswer): void;
  failed(error: Error): void;
}

export interface Owner {
  /** It is open, and carries nothing. */
  onFree(connection: HttpConnection): void;
  /** It is of no more use; called once. The question that it carried has been told already. */
  onGone(connection: HttpConnection, error: Error): void;
}

const CONNECT_LIMIT_MS = 5_000;
/** A peer that is gone without a word is noticed also where nothing is asked. */
const KEEP_ALIVE_MS = 30_000;

export class HttpConnection {
  readonly #socket: TLSSocket;
  readonly #owner: Owner;
  #question: Question | undefined;
  #reader: AnswerReader | undefined;
  #isGone = false;
  /** By the monotonic clock. */
  freeSince = 0;

  constructor(options: ConnectionOptions, owner: Owner) {
    this.#owner = owner;
    this.#socket = connect(options);
    this.#socket.setNoDelay(true);
    this.#socket.setKeepAlive(true, KEEP_ALIVE_MS);
    const timer = setTimeout(
      () => this.giveUp(new Error(`no connection within ${CONNECT_LIMIT_MS / 1_000} s`)),
      CONNECT_LIMIT_MS,
    );
    this.#socket
      .once('secureConnect', () => {
        clearTimeout(timer);
        this.#free();
      })
      .once('close', () => clearTimeout(timer))
      .on('data', (chunk: Buffer) => this.#take(chunk))
      .on('end', () => this.#end())
      .on('error', (error) => this.giveUp(error))
      .on('close', () => this.giveUp(new Error('the API server has closed the connection')));
  }

  carry(question: Question): void {
    this.#question = question;
    question.carrier = this;
    this.#reader = new AnswerReader();
    this.#socket.ref();
    this.#socket.write(question.bytes);
  }

  /** Gives it up, and whatever it carries. */
  giveUp(error: Error): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#socket.destroy();
    const question = this.#question;
    this.#question = undefined;
    question?.failed(error);
    this.#owner.onGone(this, error);
  }

  #free(): void {
    this.freeSince = performance.now();
    // An idle connection must not keep a process from ending.
    this.#socket.unref();
    this.#owner.onFree(this);
  }

  #take(chunk: Buffer): void {
    if (!this.#reader) return this.giveUp(new Error('the API server has spoken unasked'));
    try {
      if (this.#reader.push(chunk)) this.#answer(this.#reader);
    } catch (error) {
      this.giveUp(error as Error);
    }
  }

  #end(): void {
    if (this.#reader?.end()) this.#answer(this.#reader);
    else this.giveUp(new Error('the API server has closed the connection'));
  }

  #answer(reader: AnswerReader): void {
    const question = this.#question;
    this.#question = undefined;
    this.#reader = undefined;
    question?.answered(reader.answer());
    if (reader.staysOpen) this.#free();
    else this.giveUp(new Error('the API server keeps the connection no longer'));
  }
}
