// One TLS connection that carries one request at a time.
import type { OnReadOpts } from 'node:net';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { AnswerReader, type WholeAnswer } from './answer-reader.ts';

/** Somebody who waits for an answer: whichever is called first is what comes of it. */
export interface Question {
  readonly bytes: Buffer;
  /** Whether it may be sent once more where nobody knows if it has arrived. */
  mayRepeat: boolean;
  /** Set while a connection carries it. */
  carrier?: HttpConnection;
  answered(answer: WholeAnswer): void;
  failed(error: Error): void;
}

export interface Owner {
  /** It is open, and carries nothing. */
  onFree(connection: HttpConnection): void;
  /** The connection that carried it ended before anything of an answer came, as it had been idle; onGone follows. */
  onUnanswered(question: Question): void;
  /** It is of no more use; called once. The question that it carried has been told already. */
  onGone(connection: HttpConnection, error: Error): void;
}

const CONNECT_LIMIT_MS = 5_000;
/** A peer that is gone without a word is noticed also where nothing is asked. */
const KEEP_ALIVE_MS = 30_000;

/**
 * Where the bytes of all connections come in, each copied out before the next: a stream of Node would make room of 64 KiB
 * for each answer, of which one needs 1 KiB. Nothing stays in it, as an answer may hold a token.
 */
const COMING = Buffer.allocUnsafeSlow(64 * 1024);

export class HttpConnection {
  readonly #socket: TLSSocket;
  readonly #owner: Owner;
  #question: Question | undefined;
  #reader: AnswerReader | undefined;
  #isGone = false;
  #answers = 0;
  /** Whether a request was ever given to it. */
  isUsed = false;
  /** By the monotonic clock. */
  freeSince = 0;

  constructor(options: ConnectionOptions, owner: Owner) {
    this.#owner = owner;
    // @types/node does not know that tls.connect() takes this, too.
    const reading: ConnectionOptions & { readonly onread: OnReadOpts } = {
      ...options,
      onread: { buffer: COMING, callback: (bytes) => this.#come(bytes) },
    };
    this.#socket = connect(reading);
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
      .on('end', () => this.#end())
      .on('error', (error) => this.#lose(error))
      .on('close', () => this.#lose(closedByServer()));
  }

  /** An answer may come before all of the request has left; what is left of it would come before the next. */
  get hasSentAll(): boolean {
    return this.#socket.writableLength === 0;
  }

  carry(question: Question): void {
    this.isUsed = true;
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
    this.#reader = undefined;
    question?.failed(error);
    this.#owner.onGone(this, error);
  }

  /**
   * The server has ended it. Where it was idle before, and nothing has come, the server had most likely closed it while the
   * request was under way, which is nobody's fault: as net/http of Go does, what may be repeated is.
   */
  #lose(error: Error): void {
    const question = this.#question;
    if (question?.mayRepeat && this.#answers > 0 && this.#reader?.hasBegun === false) {
      this.#question = undefined;
      question.mayRepeat = false;
      this.#owner.onUnanswered(question);
    }
    this.giveUp(error);
  }

  #free(): void {
    this.freeSince = performance.now();
    // An idle connection must not keep a process from ending.
    this.#socket.unref();
    this.#owner.onFree(this);
  }

  #come(bytes: number): true {
    const chunk = Buffer.from(COMING.subarray(0, bytes));
    COMING.fill(0, 0, bytes);
    this.#take(chunk);
    return true;
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
    else this.#lose(closedByServer());
  }

  #answer(reader: AnswerReader): void {
    const question = this.#question;
    this.#question = undefined;
    this.#reader = undefined;
    this.#answers += 1;
    question?.answered(reader.answer());
    if (reader.staysOpen) this.#free();
    else this.giveUp(new Error('the API server keeps the connection no longer'));
  }
}

const closedByServer = () => new Error('the API server has closed the connection');
