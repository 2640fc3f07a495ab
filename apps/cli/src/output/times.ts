// Times and durations as people read and write them.

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** Milliseconds of `10m`, `1h30m`, `500ms` or `2d`; undefined for what is no duration. */
export function parseDuration(text: string): number | undefined {
  if (!/^(?:\d+(?:\.\d+)?(?:ms|[smhdw]))+$/.test(text)) return undefined;
  let totalMs = 0;
  for (const [, amount = '', unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhdw])/g)) {
    totalMs += Number(amount) * UNITS[unit as keyof typeof UNITS];
  }
  return Number.isSafeInteger(Math.round(totalMs)) ? Math.round(totalMs) : undefined;
}

/** A duration in its two largest units, such as `1h 5m`, `45s` or `120ms`. */
export function showDuration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))}ms`;
  const parts: string[] = [];
  let rest = ms;
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const amount = Math.floor(rest / UNITS[unit]);
    rest -= amount * UNITS[unit];
    if (amount > 0) parts.push(`${amount}${unit}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.join(' ');
}

/** How long ago it was, such as `5m ago`, or `in 5m`; `-` for no time. */
export function showAgo(iso: string | null, nowMs: number): string {
  if (iso === null) return '-';
  const ms = nowMs - Date.parse(iso);
  if (Math.abs(ms) < 1_000) return 'now';
  const [largest = ''] = showDuration(Math.abs(ms)).split(' ');
  return ms > 0 ? `${largest} ago` : `in ${largest}`;
}

/** A time in UTC to the second, such as `2026-03-01 12:00:05Z`; `-` for no time. */
export const showTime = (iso: string | null): string =>
  iso === null ? '-' : iso.replace('T', ' ').replace(/\.\d+Z$/, 'Z');

/** The ISO time that `text` names: a time, or a duration before `nowMs`. Undefined for neither. */
export function parseSince(text: string, nowMs: number): string | undefined {
  const durationMs = parseDuration(text);
  if (durationMs !== undefined) return new Date(nowMs - durationMs).toISOString();
  const isDate = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?)?$/.test(text);
  const ms = isDate ? Date.parse(text) : NaN;
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString();
}
