// The colours of states: what is well, what is not, and what needs attention.
import { type Line, styled, type Style } from './parts.ts';

const STYLES: Readonly<Record<string, Style>> = {
  healthy: 'green',
  unhealthy: 'red',
  unknown: 'yellow',
  open: 'red',
  half_open: 'yellow',
  blocked: 'red',
  waiting: 'yellow',
  paused: 'yellow',
  draining: 'yellow',
  completed: 'green',
  failed: 'red',
  cancelled: 'yellow',
  dead: 'red',
};

/** A state as a word in its colour. */
export const stateWord = (state: string): Line => {
  const style = Object.hasOwn(STYLES, state) ? STYLES[state] : undefined;
  return style === undefined ? state : styled(style, state);
};

/** A number that should be 0. */
export const countWord = (count: number, style: Style = 'red'): Line =>
  count === 0 ? '0' : styled(style, String(count));
