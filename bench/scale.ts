// How much is measured: in full, or just enough to see that everything works.

export interface Scale {
  /** Users: for the slope of the memory, for the refreshes, and at the most. */
  readonly few: number;
  readonly many: number;
  readonly most: number;
  /** How often each contender is measured. */
  readonly rounds: number;
  readonly idleSeconds: number;
  readonly signIns: {
    readonly warmUp: number;
    readonly alone: number;
    readonly together: number;
    readonly atOnce: number;
  };
  readonly revocations: {
    /** Users who are revoked one by one at Latchkey's endpoints, for each cause. */
    readonly alone: number;
    /** Users who are revoked at once for each kube-apiserver and cause. */
    readonly atOnce: number;
    /** How long a rate is measured. */
    readonly seconds: number;
    /** Of the webhook, in the kube-apiserver; 2m0s is its default. */
    readonly caches: readonly { readonly ttl: string; readonly askEveryMs: number }[];
  };
  /** Changes in the directory: one after the other, and as many again in one go. */
  readonly directoryChanges: number;
  /** The policy while a restart is measured, so that tokens grow old while one waits. */
  readonly restartTokens: { readonly ttl: string; readonly minRemaining: string };
}

export const FULL: Scale = {
  few: 1_000,
  many: 5_000,
  most: 10_000,
  rounds: 3,
  idleSeconds: 60,
  signIns: { warmUp: 20, alone: 200, together: 500, atOnce: 50 },
  revocations: {
    alone: 50,
    atOnce: 30,
    seconds: 15,
    caches: [
      { ttl: '0s', askEveryMs: 100 },
      { ttl: '1s', askEveryMs: 100 },
      { ttl: '2m0s', askEveryMs: 1_000 },
    ],
  },
  directoryChanges: 100,
  restartTokens: { ttl: '180s', minRemaining: '60s' },
};

export const SHORT: Scale = {
  few: 20,
  many: 40,
  most: 60,
  rounds: 1,
  idleSeconds: 1,
  signIns: { warmUp: 1, alone: 2, together: 10, atOnce: 5 },
  revocations: { alone: 2, atOnce: 2, seconds: 1, caches: [{ ttl: '0s', askEveryMs: 100 }] },
  directoryChanges: 2,
  restartTokens: { ttl: '60s', minRemaining: '30s' },
};
