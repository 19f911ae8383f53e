// Says points in time the way people do.

/**
 * "in 17 minutes". Rounds down, as nobody may rely on the rest; from two minutes on in whole minutes, from two
 * hours in hours.
 * @param seconds from now; past ones count as now
 */
export function timeLeft(language: string, seconds: number): string {
  const format = new Intl.RelativeTimeFormat(language, { numeric: 'always' });
  const left = Math.max(0, Math.floor(seconds));
  if (left < 120) return format.format(left, 'second');
  if (left < 7200) return format.format(Math.floor(left / 60), 'minute');
  return format.format(Math.floor(left / 3600), 'hour');
}

/** "14:32 UTC": the reader's time zone is not ours to guess. */
export function clockTime(language: string, at: Date): string {
  const format = new Intl.DateTimeFormat(language, {
    hour: '2-digit',
    minute: '2-digit',
    timeZone: 'UTC',
    hourCycle: 'h23',
  });
  return `${format.format(at)} UTC`;
}
