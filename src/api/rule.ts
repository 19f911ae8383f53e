// A CEL rule of a CRD schema: the API server refuses what breaks it, with a message that says what to write instead.

export interface Rule {
  readonly rule: string;
  readonly message: string;
  readonly fieldPath?: string;
}

/** Puts rules on a zod schema: `z.string().meta(rules(...))`. */
export function rules(...list: readonly Rule[]): { 'x-kubernetes-validations': readonly Rule[] } {
  return { 'x-kubernetes-validations': list };
}
