// One line when the core goes, one for each reason, and one when it comes back.
import { SwarmError } from '@hypercode/contracts';
import { expect, test } from 'vitest';
import { CoreLink } from './core-link.ts';

const GONE = new SwarmError('UNAVAILABLE', 'the core could not be reached');
const WHAT = { what: 'cannot read' };

function linkWithLog(): { link: CoreLink; lines: string[] } {
  const lines: string[] = [];
  const line = (level: string) => (_: unknown, message: string) => void lines.push(`${level} ${message}`);
  const logger = { debug: () => {}, info: line('info'), warn: line('warn'), error: line('error') };
  return { link: new CoreLink({ url: 'http://user:secret@core:7700', logger }), lines };
}

test('a core that is away is logged once with its address, and again when it answers every caller', () => {
  const { link, lines } = linkWithLog();
  for (let i = 0; i < 10; i += 1) {
    link.refused('reading', GONE, WHAT);
    link.refused('polling', GONE, WHAT);
  }
  expect(lines).toEqual([
    'warn the core at http://core:7700 cannot be used, and is asked until it can: the core could not be reached',
  ]);
  link.answered('reading');
  link.answered('publishing');
  expect(lines).toHaveLength(1);
  link.answered('polling');
  link.answered('polling');
  expect(lines.slice(1)).toEqual(['info the core at http://core:7700 answers again']);
  link.refused('reading', GONE, WHAT);
  expect(lines).toHaveLength(3);
});

test('another reason is logged, too, but not without end', () => {
  const { link, lines } = linkWithLog();
  link.refused('reading', GONE, WHAT);
  link.refused('reading', new SwarmError('UNAVAILABLE', 'Redis does not answer'), WHAT);
  link.refused('reading', GONE, WHAT);
  expect(lines.map((line) => line.split(': ').at(-1))).toEqual([GONE.message, 'Redis does not answer']);
  for (let i = 0; i < 100; i += 1) link.refused('reading', new SwarmError('UNAVAILABLE', `reason ${i}`), WHAT);
  expect(lines).toHaveLength(8);
});

test('other refusals are logged each time, and are no outage', () => {
  const { link, lines } = linkWithLog();
  for (let i = 0; i < 2; i += 1) link.refused('publishing', new SwarmError('FORBIDDEN', 'no'), { what: 'a plan' });
  link.answered('publishing');
  expect(lines).toEqual(['warn a plan: no', 'warn a plan: no']);
});

test('the agent that cannot register reports the same outage as its other callers', () => {
  const { link, lines } = linkWithLog();
  link.refused('reading', GONE, WHAT);
  for (const phase of ['registering', 'alive']) {
    link.agentLogger.warn({ agent: 'architect', code: 'UNAVAILABLE', phase }, GONE.message);
  }
  link.agentLogger.warn({ agent: 'architect', code: 'FENCED', phase: 'fenced' }, 'another process has the name');
  expect(lines.slice(1)).toEqual(['warn another process has the name']);
  for (const caller of ['reading', 'registration', 'heartbeat'] as const) link.answered(caller);
  expect(lines.at(-1)).toBe('info the core at http://core:7700 answers again');
});
