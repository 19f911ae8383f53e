// One reading for all who ask for the same thing while it is under way.

/** Who joins gets what the first asker's reading finds, which began before the question of the one who joins. */
export function singleFlight<Question, T>(
  read: (key: string, question: Question) => Promise<T>,
): (key: string, question: Question) => Promise<T> {
  const underWay = new Map<string, Promise<T>>();
  return (key, question) => {
    const joined = underWay.get(key);
    if (joined) return joined;
    const reading = read(key, question).finally(() => underWay.delete(key));
    underWay.set(key, reading);
    return reading;
  };
}
