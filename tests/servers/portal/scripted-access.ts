// An Access that says what a test tells it: these tests are about pages, and no cluster can be made to show each
// of these states on demand. That the portal works over a real cluster is the end-to-end test's to show.
import type { Access, AccessView, SignInAttempt, SignInResult } from '../../../src/sessions/access.ts';

export const adaCookie = 'ada-browser-1';

export const adaView: AccessView = {
  username: 'ada',
  displayName: 'Ada Lovelace',
  namespace: 'ada',
  state: 'Active',
  tokenExpiresAt: new Date('2026-03-01T14:32:00Z'),
  command: "kubectl -n ada get secret access-token -o jsonpath='{.data.AUTH_TOKEN}' | base64 -d",
};

const signedIn: SignInResult = {
  outcome: 'SignedIn',
  cookie: adaCookie,
  expiresAt: new Date('2099-01-01T00:00:00Z'),
};

export class ScriptedAccess implements Access {
  /** what the next attempts come to */
  result = signedIn;
  /** what browsers with a known cookie see */
  shown: AccessView = adaView;
  /** thrown by everything, while it is set */
  failure: Error | undefined;
  readonly cookies = new Set<string>();
  readonly attempts: SignInAttempt[] = [];
  readonly ended: string[] = [];

  /** Back to the start, for the next test. */
  reset(): void {
    this.result = signedIn;
    this.shown = adaView;
    this.failure = undefined;
    this.cookies.clear();
    this.attempts.length = 0;
    this.ended.length = 0;
  }

  async signIn(attempt: SignInAttempt): Promise<SignInResult> {
    if (this.failure) throw this.failure;
    this.attempts.push(attempt);
    if (this.result.outcome === 'SignedIn') this.cookies.add(this.result.cookie);
    return this.result;
  }

  async view(cookie: string): Promise<AccessView | undefined> {
    if (this.failure) throw this.failure;
    return this.cookies.has(cookie) ? this.shown : undefined;
  }

  async signOut(cookie: string): Promise<void> {
    if (this.failure) throw this.failure;
    this.cookies.delete(cookie);
  }

  async endAccess(cookie: string): Promise<void> {
    if (this.failure) throw this.failure;
    this.ended.push(cookie);
    this.cookies.clear();
  }
}
