// What changed between two states of an agent, field by field.

export interface Difference {
  /** Such as `status.health`. */
  readonly path: string;
  readonly from: string;
  readonly to: string;
}

/** They change with every change, or without one. */
const LEFT_OUT = new Set(['revision', 'specRevision', 'updatedAt', 'status.lastSeenAt', 'status.activitySince']);
const MAX_LENGTH = 120;

export function differences(before: unknown, after: unknown, path = ''): Difference[] {
  if (LEFT_OUT.has(path)) return [];
  if (isPlain(before) && isPlain(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].flatMap((key) => differences(before[key], after[key], path === '' ? key : `${path}.${key}`));
  }
  const from = textOf(before);
  const to = textOf(after);
  return from === to ? [] : [{ path, from: cut(from), to: cut(to) }];
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const textOf = (value: unknown): string =>
  value === undefined || value === null ? 'none' : typeof value === 'string' ? value : JSON.stringify(value);

const cut = (text: string): string => (text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text);
