// Keeps one copy of texts that many objects have in common, such as the messages of conditions.

/** Where so many are known all are forgotten: most texts are one object's own, and would fill the memory. */
const MOST_KNOWN = 4_096;

/** @returns shares the texts of an object of JSON with those of the objects before it; it changes the object in place. */
export function textSharing(): <T>(value: T) => T {
  const known = new Map<string, string>();

  function shared(text: string): string {
    const copy = known.get(text);
    if (copy !== undefined) return copy;
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(text, text);
    return text;
  }

  function walk(value: unknown): void {
    if (typeof value !== 'object' || value === null) return;
    for (const [name, part] of Object.entries(value)) {
      if (typeof part === 'string') (value as Record<string, unknown>)[name] = shared(part);
      else walk(part);
    }
  }

  return (value) => {
    walk(value);
    return value;
  };
}
