// Times and durations in the fewest words that still say enough.

/** `3 s`, `12 min`, `5 h`, `2 d`; nothing is negative. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** The same with fractions, for what may be short: `165 ms`, `2.5 s`, `1.5 h`. */
export function shortTimeText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  return ms < 3_600_000 ? `${Math.round(ms / 60_000)} min` : `${(ms / 3_600_000).toFixed(1)} h`;
}

// A formatter is made once: making one takes longer than a hundred uses of it.
const TIME = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const DAY_AND_TIME = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
});
const WHOLE = new Intl.DateTimeFormat('en-GB', { dateStyle: 'short', timeStyle: 'medium' });

/** Which day it is, in the time zone of the reader. */
export const dayText = (time: number | string): string => new Date(time).toDateString();

/** `12:04:11` on the day `today` (of `dayText`), else `3 Nov, 12:04`. In the time zone of the reader. */
export const clockText = (time: number | string, today: string): string =>
  (dayText(time) === today ? TIME : DAY_AND_TIME).format(new Date(time));

export const wholeTimeText = (time: number | string): string => WHOLE.format(new Date(time));

export const countText = (count: number): string => count.toLocaleString('en-US');

/** `1 agent`, `3 agents`. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${countText(count)} ${count === 1 ? one : many}`;
