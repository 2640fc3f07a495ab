// Which changes of agents are logged, and how many lines of them.
import { HeldClock } from '@hypercode/clock/testing';
import type { Agent } from '@hypercode/contracts';
import type { AgentChange } from '@hypercode/registry';
import { expect, test } from 'vitest';
import { AgentLog } from './agent-log.ts';

const STATUS = {
  health: 'healthy',
  activity: 'ready',
  circuit: 'closed',
  circuitOpenUntil: null,
  consecutiveFailures: 0,
  lastSeenAt: null,
  reason: null,
} as Agent['status'];

const agentOf = (name: string, status: Partial<Agent['status']> = {}, incarnation = 'first') =>
  ({ namespace: 'default', name, role: 'coder', incarnation, status: { ...STATUS, ...status } }) as Agent;

const changeOf = (change: AgentChange['change'], before: Agent | null, after: Agent): AgentChange => ({
  position: 1,
  change,
  before,
  after,
  at: '2026-01-01T00:00:00.000Z',
});

function logOf() {
  const clock = new HeldClock();
  const lines: { message: string; fields: object }[] = [];
  const log = new AgentLog({ clock, logger: { info: (fields, message) => lines.push({ message, fields }) } });
  return { clock, log, lines, messages: () => lines.map(({ message }) => message) };
}

const ada = agentOf('ada');
const unhealthy = agentOf('ada', { health: 'unhealthy', reason: 'missed its lease' });

test.each<[string, AgentChange, string[]]>([
  ['a registration', changeOf('registered', null, ada), ['agent "ada" joined']],
  [
    'a new process',
    changeOf('updated', ada, agentOf('ada', {}, 'second')),
    ['agent "ada" was taken over by a new process'],
  ],
  ['a removal', changeOf('deregistered', ada, ada), ['agent "ada" left']],
  ['the end of its silence', changeOf('expired', unhealthy, unhealthy), ['agent "ada" expired']],
  ['a missed lease', changeOf('status', ada, unhealthy), ['agent "ada" is unhealthy']],
  ['a heartbeat after that', changeOf('status', unhealthy, ada), ['agent "ada" is healthy again']],
  ['the first heartbeat', changeOf('status', agentOf('ada', { health: 'unknown' }), ada), []],
  ['an update', changeOf('updated', ada, ada), []],
  ['an activity', changeOf('status', ada, agentOf('ada', { activity: 'busy' })), []],
  ['a trip', changeOf('status', ada, agentOf('ada', { circuit: 'open' })), ['the circuit of agent "ada" opened']],
  ['a trial', changeOf('status', agentOf('ada', { circuit: 'open' }), agentOf('ada', { circuit: 'half_open' })), []],
  [
    'a failed trial',
    changeOf('status', agentOf('ada', { circuit: 'half_open' }), agentOf('ada', { circuit: 'open' })),
    [],
  ],
  ['a reset', changeOf('status', agentOf('ada', { circuit: 'open' }), ada), ['the circuit of agent "ada" closed']],
  [
    'a registration of a tripped name',
    changeOf('registered', null, agentOf('ada', { circuit: 'open' })),
    ['agent "ada" joined', 'the circuit of agent "ada" opened'],
  ],
])('%s is logged as what it means', (_, change, messages) => {
  const { log, ...logged } = logOf();
  log.note([change]);
  log.close();
  expect(logged.messages()).toEqual(messages);
});

test('a line has the namespace, the role and the reason', () => {
  const { log, lines } = logOf();
  log.note([changeOf('status', ada, unhealthy)]);
  expect(lines[0]?.fields).toEqual({ namespace: 'default', agent: 'ada', role: 'coder', reason: 'missed its lease' });
});

test('of ten thousand agents that join at once, five are named, and the others counted, a second at most', () => {
  const { clock, log, lines, messages } = logOf();
  const joined = Array.from({ length: 10_000 }, (_, index) => changeOf('registered', null, agentOf(`a${index}`)));
  log.note(joined.slice(0, 4000));
  log.note(joined.slice(4000));
  log.note([changeOf('deregistered', ada, ada)]);
  expect(messages()).toHaveLength(6);
  clock.advance(1000);
  expect(lines[6]).toEqual({
    message: '9995 more agents joined',
    fields: { count: 9995, among: ['a5', 'a6', 'a7', 'a8', 'a9'].map((name) => `default/${name}`) },
  });
  expect(clock.armed).toBe(0);
  log.note(joined.slice(0, 1));
  expect(messages().slice(7)).toEqual(['agent "a0" joined']);
});
