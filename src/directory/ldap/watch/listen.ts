// Keeps a connection of its own on which the server says that something has changed; without it nothing is lost but time.
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Connect } from '../connector.ts';
import type { Entry } from '../entry.ts';
import { bindServiceAccount } from '../service-account.ts';
import type { CheckedLdapSettings } from '../settings.ts';
import { unreachable } from '../unreachable.ts';
import { within } from '../within.ts';
import { backOff } from './back-off.ts';
import { hearNotices, NoticesRefused } from './notices.ts';
import type { NoticeSource } from './notices.ts';

/** A connection that a firewall has forgotten is found by it. */
const KEEP_ALIVE_MS = 30_000;

export interface ListenOptions {
  readonly settings: CheckedLdapSettings;
  readonly connect: Connect;
  readonly source: NoticeSource;
  /** Of RFC 4515, for what changes from now on. */
  readonly filter: () => string;
  readonly onNotice: (entry: Entry, isDeleted: boolean) => void;
  readonly log: Logger;
}

/** Listens until `signal` aborts, or the server says that it will not speak. Never throws. */
export async function listen(options: ListenOptions, signal: AbortSignal): Promise<void> {
  const { settings, connect, source, filter, onNotice, log } = options;
  const { timeoutMs } = settings;

  async function converse(): Promise<never> {
    const socket = await connect(signal);
    try {
      socket.setKeepAlive(true, KEEP_ALIVE_MS);
      await within(socket, timeoutMs, () => bindServiceAccount(socket, settings));
      const attributes = settings.filter.attributes;
      return await hearNotices(socket, { ...source, filter: filter(), attributes }, onNotice);
    } finally {
      socket.destroy();
    }
  }

  const attempts = backOff();
  while (!signal.aborted) {
    const beganAt = performance.now();
    try {
      await converse();
    } catch (error) {
      if (signal.aborted) return;
      log.debug({ err: unreachable(settings.url, error) }, 'the directory no longer says what changes');
      if (error instanceof NoticesRefused) return;
      attempts.failed(performance.now() - beganAt);
    }
    await delay(attempts.pauseMs(), undefined, { signal }).catch(() => undefined);
  }
}
