// One leader at a time, by a Lease: renews while it can, and knows when it can no longer be sure.
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { hasStatus } from './api-error.ts';
import type { KubernetesClient } from './client.ts';
import { ageMs, instant, type Instant } from './instant.ts';
import { retryConflicts } from './retry-conflicts.ts';

interface Lease {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly resourceVersion?: string };
  readonly spec: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
}

export interface LeaderOptions {
  readonly client: KubernetesClient;
  readonly namespace: string;
  readonly name: string;
  /** Differs from process to process. */
  readonly identity: string;
  /** How long the others wait after the last renewal that they saw. */
  readonly leaseMs: number;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Runs while this process leads; `signal` aborts when it no longer does. */
  readonly lead: (signal: AbortSignal) => Promise<void>;
}

export interface Leader {
  /** Whether this process is the leader for sure: its last renewal began less than two thirds of a lease ago. */
  isLeading(): boolean;
  /** Resolves after `signal` has aborted and the Lease has been given up. */
  readonly done: Promise<void>;
}

/**
 * Leader election as in client-go (tools/leaderelection): what counts of another's renewals is when this process saw
 * them, not what their clocks say.
 */
export function elect(options: LeaderOptions): Leader {
  const { client, namespace, name, identity, leaseMs, log, signal, lead } = options;
  const base = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
  const path = `${base}/${name}`;
  const retryMs = leaseMs / 7.5;
  const sureMs = (leaseMs * 2) / 3;
  const requestMs = sureMs / 2;
  let renewedAt: Instant | undefined;
  /** Whether a write of ours may have taken the Lease, even one that seems to have failed. */
  let mayHold = false;
  // By the monotonic clock alone: a clock that is set forward must not make another's Lease look older.
  let othersUntil = 0;
  let seen: { resourceVersion: string | undefined; at: number } = { resourceVersion: '', at: 0 };

  const isLeading = () => renewedAt !== undefined && ageMs(renewedAt) < sureMs;

  /** @returns whether this process holds the Lease after the attempt. */
  async function tryHold(): Promise<boolean> {
    const began = instant();
    let lease: Lease;
    try {
      lease = await client.request<Lease>({ method: 'GET', path, timeoutMs: requestMs, signal });
    } catch (error) {
      if (!hasStatus(error, 404)) throw error;
      // Where somebody deletes the Lease, its holder goes on leading until it looks.
      if (performance.now() < othersUntil) return false;
      mayHold = true;
      const spec = renewal({ leaseTransitions: 0 }, true);
      await client.request({
        method: 'POST',
        path: base,
        body: { metadata: { name, namespace }, spec },
        timeoutMs: requestMs,
        signal,
      });
      renewedAt = began;
      return true;
    }
    if (lease.metadata.resourceVersion !== seen.resourceVersion)
      seen = { resourceVersion: lease.metadata.resourceVersion, at: performance.now() };
    const mine = lease.spec.holderIdentity === identity;
    const heldMs = (lease.spec.leaseDurationSeconds ?? 0) * 1_000;
    othersUntil = mine || !lease.spec.holderIdentity ? 0 : seen.at + heldMs;
    mayHold = performance.now() > othersUntil;
    if (!mayHold) return false;
    await client.request({
      method: 'PUT',
      path,
      body: { ...lease, spec: renewal(lease.spec, !mine) },
      timeoutMs: requestMs,
      signal,
    });
    renewedAt = began;
    return true;
  }

  function renewal(spec: Lease['spec'], takeover: boolean): Lease['spec'] {
    const now = new Date().toISOString().replace('Z', '000Z');
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseMs / 1_000),
      acquireTime: takeover ? now : (spec.acquireTime ?? now),
      renewTime: now,
      leaseTransitions: (spec.leaseTransitions ?? 0) + (takeover ? 1 : 0),
    };
  }

  async function holdOnce(): Promise<void> {
    try {
      if (!(await tryHold())) renewedAt = undefined;
    } catch (error) {
      if (!signal.aborted && !hasStatus(error, 409))
        log.warn({ err: error }, 'the Lease could not be renewed');
    }
  }

  async function run(): Promise<void> {
    let term: { stop: AbortController; ended: Promise<void> } | undefined;
    // Not after the attempt to renew: one that hangs would end the term after another's has begun.
    const watchdog = setInterval(() => {
      if (!isLeading()) term?.stop.abort();
    }, sureMs / 20);
    while (!signal.aborted) {
      await holdOnce();
      if (isLeading() && !term) {
        log.info({ identity }, 'leading');
        const stop = new AbortController();
        const ended = lead(AbortSignal.any([signal, stop.signal])).catch((error: unknown) => {
          // Stopped so that the next round begins a new term.
          log.error({ err: error }, 'the leader failed');
          stop.abort();
        });
        term = { stop, ended };
      } else if (term && (!isLeading() || term.stop.signal.aborted)) {
        log.warn({ identity }, 'no longer leading');
        term.stop.abort();
        await term.ended;
        term = undefined;
      }
      await delay(retryMs * (0.9 + 0.2 * Math.random()), undefined, { signal }).catch(() => undefined);
    }
    await term?.ended;
    clearInterval(watchdog);
    await giveUp();
  }

  /** Lets the next leader begin at once, rather than after a whole lease. */
  async function giveUp(): Promise<void> {
    renewedAt = undefined;
    if (!mayHold) return;
    try {
      // A renewal that was under way when the signal came may still arrive in between.
      await retryConflicts(async () => {
        const lease = await client.request<Lease>({ method: 'GET', path, timeoutMs: 2_000 });
        if (lease.spec.holderIdentity !== identity) return;
        const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1 };
        await client.request({ method: 'PUT', path, body: { ...lease, spec }, timeoutMs: 2_000 });
      });
    } catch (error) {
      log.warn({ err: error }, 'the Lease could not be given up; it runs out by itself');
    }
  }

  return { isLeading, done: run() };
}
