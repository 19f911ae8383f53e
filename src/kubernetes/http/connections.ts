// The connections to one server, as many as are needed and no more than there may be, and the requests that wait for one.
import { isIP } from 'node:net';
import type { ConnectionOptions, SecureContext } from 'node:tls';
import type { WholeAnswer } from './answer-reader.ts';
import { HttpConnection, type Owner, type Question } from './http-connection.ts';
import { requestBytes, type Outgoing } from './request-bytes.ts';

export interface ConnectionsOptions {
  /** Of which the host and the port count. */
  readonly server: URL;
  readonly secureContext: SecureContext;
  /** Which the server's certificate has to be for, where it is not the host. */
  readonly servername?: string | undefined;
  readonly most: number;
  /** How long an idle connection is kept. */
  readonly idleMs: number;
}

export interface Limits {
  readonly limitMs: number;
  /** What the request fails with after `limitMs`. */
  readonly late: () => Error;
  readonly signal: AbortSignal | undefined;
}

/** How long no more connections are tried for where the server let one in and not another. */
const SHUT_MS = 1_000;

export class Connections implements Owner {
  readonly #host: string;
  readonly #options: ConnectionOptions;
  readonly #most: number;
  readonly #idleMs: number;
  readonly #opening = new Set<HttpConnection>();
  readonly #open = new Set<HttpConnection>();
  /** Until the end of the turn: what comes unasked behind an answer must not be taken for the next one. */
  readonly #resting: HttpConnection[] = [];
  /** The last to come is the first to go out, so that those which are not needed grow old. */
  readonly #idle: HttpConnection[] = [];
  /** What ends each request that was not answered yet. */
  readonly #asked = new Set<(reason: Error) => void>();
  /** The one that waits longest first. */
  readonly #waiting = new Set<Question>();
  #sweep: NodeJS.Timeout | undefined;
  #isTurnEndAwaited = false;
  #shutUntil = 0;
  #isClosed = false;

  constructor({ server, secureContext, servername, most, idleMs }: ConnectionsOptions) {
    const host = server.hostname.replace(/^\[(.*)\]$/, '$1');
    this.#host = server.host;
    this.#most = most;
    this.#idleMs = idleMs;
    this.#options = {
      host,
      port: Number(server.port || 443),
      secureContext,
      // An address is no name for SNI (RFC 6066, section 3).
      servername: servername ?? (isIP(host) ? undefined : host),
      // Else a variable, NODE_TLS_REJECT_UNAUTHORIZED, could turn it off.
      rejectUnauthorized: true,
      ALPNProtocols: ['http/1.1'],
    };
  }

  /**
   * One request and all of its answer. Fails at once when its time is over, even where no connection has taken the request
   * up yet; then it is never sent. One that is under way costs its connection.
   * @param prepare belongs to the time: credentials may have to be read
   * @throws {RangeError} where the answer is longer than 64 MiB; else what the connection failed with
   */
  ask(prepare: () => Promise<Outgoing>, { limitMs, late, signal }: Limits): Promise<WholeAnswer> {
    signal?.throwIfAborted();
    if (this.#isClosed) return Promise.reject(closed());
    const { promise, resolve, reject } = Promise.withResolvers<WholeAnswer>();
    let question: Question | undefined;
    let isOver = false;
    const end = () => {
      isOver = true;
      this.#asked.delete(giveUp);
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
    };
    const failed = (error: Error) => {
      end();
      reject(error);
    };
    const giveUp = (reason: Error) => {
      failed(reason);
      if (question) this.#forget(question, reason);
    };
    this.#asked.add(giveUp);
    const timer = setTimeout(() => giveUp(late()), limitMs);
    const stop = () => giveUp(signal?.reason as Error);
    signal?.addEventListener('abort', stop, { once: true });

    const send = async () => {
      const outgoing = await prepare();
      if (isOver) return;
      question = {
        bytes: requestBytes(this.#host, outgoing),
        // Of a change nobody could tell afterwards whether it was made by the first or refused because of it.
        mayRepeat: outgoing.method === 'GET',
        failed,
        answered(answer) {
          end();
          resolve(answer);
        },
      };
      this.#take(question);
    };
    send().catch(giveUp);
    return promise;
  }

  /** Ends what is under way; what is asked afterwards fails. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#sweep);
    const reason = closed();
    for (const giveUp of this.#asked) giveUp(reason);
    for (const connection of [...this.#opening, ...this.#open]) connection.giveUp(reason);
  }

  onFree(connection: HttpConnection): void {
    this.#opening.delete(connection);
    this.#open.add(connection);
    this.#resting.push(connection);
    this.#awaitEndOfTurn();
  }

  onUnanswered(question: Question): void {
    // By then every other connection that has ended with it is known to have ended.
    this.#waiting.add(question);
    this.#awaitEndOfTurn();
  }

  onGone(connection: HttpConnection, error: Error): void {
    const wasOpen = this.#open.delete(connection);
    remove(this.#idle, connection);
    remove(this.#resting, connection);
    const wasOpening = this.#opening.delete(connection);
    // With TLS 1.3 the server may refuse a client when to the client all is well already.
    const wasRefused = wasOpening || (wasOpen && !connection.isUsed);
    // Those that are open see to all who wait; a server that lets in no more must not be asked again and again.
    if (wasRefused && this.#open.size > 0) {
      if (this.#waiting.size > 0) this.#shutUntil = performance.now() + SHUT_MS;
      return;
    }
    if (wasRefused) this.#failWaiting(error);
    else this.#openMore();
  }

  #awaitEndOfTurn(): void {
    if (this.#isTurnEndAwaited) return;
    this.#isTurnEndAwaited = true;
    setImmediate(() => {
      this.#isTurnEndAwaited = false;
      this.#endTurn();
    });
  }

  #endTurn(): void {
    if (this.#isClosed) return;
    for (const connection of this.#resting.splice(0))
      if (connection.hasSentAll) this.#idle.push(connection);
      else connection.giveUp(new Error('the API server has answered before it was asked'));
    for (const question of this.#waiting) {
      const connection = this.#idle.pop();
      if (!connection) break;
      this.#waiting.delete(question);
      connection.carry(question);
    }
    this.#openMore();
    if (this.#idle.length > 0) this.#sweep ??= setInterval(() => this.#closeOld(), this.#idleMs / 4).unref();
  }

  #take(question: Question): void {
    const connection = this.#idle.pop();
    if (connection) return connection.carry(question);
    this.#waiting.add(question);
    this.#openMore();
  }

  #openMore(): void {
    const isShut = () => this.#open.size > 0 && performance.now() < this.#shutUntil;
    while (
      !this.#isClosed &&
      this.#opening.size + this.#resting.length < this.#waiting.size &&
      this.#opening.size + this.#open.size < this.#most &&
      !isShut()
    )
      this.#opening.add(new HttpConnection(this.#options, this));
  }

  /** Where no connection is open, each attempt that fails fails one request, and the last of them all that wait. */
  #failWaiting(error: Error): void {
    for (const question of this.#waiting) {
      this.#waiting.delete(question);
      question.failed(error);
      if (this.#opening.size > 0) return;
    }
  }

  #forget(question: Question, reason: Error): void {
    if (!this.#waiting.delete(question)) return question.carrier?.giveUp(reason);
    // An attempt that was too slow for it may have died without a word: whoever asks next begins anew.
    for (const connection of this.#opening) {
      if (this.#opening.size <= this.#waiting.size) return;
      this.#opening.delete(connection);
      connection.giveUp(reason);
    }
  }

  #closeOld(): void {
    const before = performance.now() - this.#idleMs;
    for (const connection of this.#idle.filter(({ freeSince }) => freeSince < before))
      connection.giveUp(new Error('it was idle for too long'));
    if (this.#idle.length > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }
}

function remove<T>(list: T[], one: T): void {
  const at = list.indexOf(one);
  if (at !== -1) list.splice(at, 1);
}

const closed = () => new Error('the client is closed');
