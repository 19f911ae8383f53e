// Remembers up to which change an object was watched without a gap, so that an off-and-on nobody saw still counts.

/**
 * `generation` is the last one seen; every generation from `openSince` to it was seen, and left the gate open.
 * Kubernetes adds one to metadata.generation with every change of the spec, so a jump is a change that nobody saw.
 */
export interface Witness {
  readonly generation: number;
  readonly openSince: number;
}

export function witness(previous: Witness | undefined, generation: number, open: boolean): Witness {
  if (!open) return { generation, openSince: generation + 1 };
  const gapless = previous !== undefined && generation <= previous.generation + 1;
  return { generation, openSince: gapless ? previous.openSince : generation };
}

/** Whether the gate was shut at no time between the accounted generation and the current one, for all that was seen. */
export function unbroken(accounted: number, current: number, seen: Witness | undefined): boolean {
  if (current <= accounted + 1) return true;
  return seen !== undefined && seen.generation === current && seen.openSince <= accounted + 1;
}
