// The directory in an LDAP server: finds the entry of a username, then binds as that entry.
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import type { Membership } from '../../domain/finding.ts';
import { standingAt } from '../../domain/standing.ts';
import type { Spell } from '../../domain/standing.ts';
import type { Directory, Verdict } from '../directory.ts';
import { turnstile } from '../turnstile.ts';
import { isWorthAsking } from '../username.ts';
import { simpleBind } from './bind.ts';
import { connector } from './connector.ts';
import { dialectAt } from './dialects/detect.ts';
import { readPolicyOf } from './dialects/openldap-policies.ts';
import { ACCOUNT_ATTRIBUTES, accountOf, DEFAULT_ID_ATTRIBUTES } from './entry.ts';
import type { Entry } from './entry.ts';
import { findEntry, searchFailed } from './find-entry.ts';
import { membershipOf } from './groups.ts';
import { search } from './search.ts';
import { bindServiceAccount } from './service-account.ts';
import { checkedSettings } from './settings.ts';
import type { LdapSettings } from './settings.ts';
import { unreachable } from './unreachable.ts';
import { verdictOfBind } from './verdict.ts';

const AT_ONCE = 16;
const WAITING = 64;

/**
 * A refusal is never answered sooner. Servers take longer over a wrong password than over an unknown name (they
 * hash, and some write the failure down); without a floor that says which accounts exist.
 */
const REFUSAL_FLOOR_MS = 500;

interface Found {
  readonly entry: Entry;
  readonly spells: readonly Spell[];
  readonly passwordChangedAt: number | undefined;
}

/**
 * A directory that is asked over LDAPS or StartTLS only. Every check of a password opens two connections, one to
 * search as the service account and one to bind as the user, and closes them.
 * @throws {DirectoryError} `DirectoryMisconfigured`, naming the setting that is wrong; nothing is connected yet
 */
export function ldapDirectory(settings: LdapSettings): Directory {
  const checked = checkedSettings(settings);
  const { url, baseDN, filter, idAttribute, timeoutMs } = checked;
  const connect = connector(checked.endpoints, timeoutMs);
  const gate = turnstile({ atOnce: AT_ONCE, waiting: WAITING, deadlineMs: timeoutMs });
  const attributes = [
    ...ACCOUNT_ATTRIBUTES,
    ...(idAttribute === undefined ? DEFAULT_ID_ATTRIBUTES : [idAttribute]),
  ];

  async function conversation<T>(signal: AbortSignal, talk: (socket: TLSSocket) => Promise<T>): Promise<T> {
    const socket = await connect(signal);
    try {
      return await talk(socket);
    } finally {
      socket.destroy();
    }
  }

  function find(username: string, signal: AbortSignal): Promise<Found | undefined> {
    return conversation(signal, async (socket) => {
      await bindServiceAccount(socket, checked);
      const dialect = await dialectAt(socket, checked.dialect, timeoutMs);
      const asked = [...attributes, ...dialect.attributes];
      const entry = await findEntry(socket, { baseDN, filter, attributes: asked, timeoutMs }, username);
      if (!entry) return undefined;
      const policy =
        dialect.name === 'openldap'
          ? await readPolicyOf((options) => search(socket, { ...options, timeoutMs }), entry)
          : undefined;
      return {
        entry,
        spells: [...dialect.spellsOf(entry, policy), ...(await excluded(socket, entry))],
        passwordChangedAt: dialect.passwordChangedAt(entry),
      };
    });
  }

  async function excluded(socket: TLSSocket, { dn }: Entry): Promise<readonly Spell[]> {
    if (checked.inactiveFilter === undefined) return [];
    const { resultCode, entries } = await search(socket, {
      baseDN: dn,
      scope: 'base',
      filter: checked.inactiveFilter,
      attributes: ['1.1'],
      sizeLimit: 1,
      timeoutMs,
    });
    if (resultCode !== 0) throw searchFailed(resultCode);
    return entries.length > 0 ? [{ reason: 'Excluded' }] : [];
  }

  async function membership(
    entry: Entry,
    groups: readonly string[],
    signal: AbortSignal,
  ): Promise<Membership | undefined> {
    if (groups.length === 0) return undefined;
    return conversation(signal, async (socket) => {
      await bindServiceAccount(socket, checked);
      const { name: dialect } = await dialectAt(socket, checked.dialect, timeoutMs);
      return membershipOf(socket, entry, { groups, dialect, filter, timeoutMs });
    });
  }

  async function check(
    username: string,
    password: string,
    groups: readonly string[],
    signal: AbortSignal,
  ): Promise<Verdict> {
    const found = await find(username, signal);
    if (!found) {
      // As much talk as about a real account, and none of it with what was typed.
      await conversation(signal, (socket) =>
        simpleBind(socket, `cn=${randomUUID()},${baseDN}`, randomUUID()),
      );
      return { outcome: 'Refused' };
    }
    const { entry, spells, passwordChangedAt } = found;
    const answer = await conversation(signal, (socket) => simpleBind(socket, entry.dn, password));
    const verdict = verdictOfBind(answer, () => ({
      ...accountOf(entry, idAttribute),
      ...(spells.length > 0 && { spells }),
      ...(passwordChangedAt !== undefined && { passwordChangedAt }),
    }));
    if (verdict.outcome !== 'Accepted') return verdict;
    // Not every server looks at what an admin wrote into the entry. Whether an account is locked, or its password has
    // expired, is the server's to say: by the bind that it has just accepted, it does.
    const { state, reason } = standingAt(spells, new Date());
    if (state === 'Inactive' && reason !== undefined) return { outcome: 'Inactive', reason };
    const isIn = await membership(entry, groups, signal);
    return isIn ? { ...verdict, account: { ...verdict.account, membership: isIn } } : verdict;
  }

  return {
    async verify(username, password, groups = []) {
      if (!isWorthAsking(username, password)) return { outcome: 'Refused' };
      const askedAt = performance.now();
      const verdict = await gate
        .run((signal) => check(username, password, groups, signal))
        .catch((error: unknown) => {
          throw unreachable(url, error);
        });
      if (verdict.outcome === 'Refused')
        await delay(Math.max(0, askedAt + REFUSAL_FLOOR_MS - performance.now()));
      return verdict;
    },
    close: () => gate.close(),
  };
}
