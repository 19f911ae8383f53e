// Keeps one copy of texts that many objects have in common, such as a UID or the messages of conditions.

/**
 * @param most how many are known. Then all are forgotten, which costs memory and nothing else: texts of one object's
 * own must not fill it.
 * @returns gives the copy that is known of a text, which is that text itself the first time
 */
export function textPool(most: number): (text: string) => string {
  const known = new Map<string, string>();
  return (text) => {
    const copy = known.get(text);
    if (copy !== undefined) return copy;
    if (known.size >= most) known.clear();
    known.set(text, text);
    return text;
  };
}

/** Puts the copies of a pool in the place of all texts of an object of JSON; it changes the object. */
export function shareTexts<T>(value: T, copyOf: (text: string) => string): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const [name, part] of Object.entries(value)) {
    if (typeof part === 'string') (value as Record<string, unknown>)[name] = copyOf(part);
    else shareTexts(part, copyOf);
  }
  return value;
}
