// What it costs every publish to be admitted, circuit and all: in this process, without a store.
import type { AgentCircuit, BusCaller } from '@hypercode/bus';
import { Access, admit } from '@hypercode/bus/testing';
import { systemClock } from '@hypercode/clock';
import { RateLimit } from '@hypercode/server';
import { median, medianRatio } from '../measure/percentiles.ts';
import { interleave } from '../measure/rounds.ts';
import type { Rig } from '../rig.ts';
import { topicAt } from '../sample-topics.ts';
import type { Findings, Row } from './row.ts';

/** As many as a caller's decisions are kept for. */
const TOPICS = 1000;

export const circuitCheck: Row = {
  name: 'circuit-check',
  title: "admitting an event: the policy, the caller's circuit, the rate",
  measure,
};

const AGENT: BusCaller = { kind: 'agent', agentId: 'a', namespace: 'default', name: 'bencher', role: 'bencher' };
const CLOSED: AgentCircuit = { circuit: 'closed', circuitOpenUntilMs: null, circuitReason: null };
const OPEN: AgentCircuit = {
  circuit: 'open',
  circuitOpenUntilMs: null,
  circuitReason: 'the model answered with status 500',
};
/** Has no circuit. */
const OPERATOR: BusCaller = { kind: 'operator', name: 'bench', id: 'bench', readOnly: false };

async function measure(rig: Rig): Promise<Findings> {
  const count = rig.size(2_000_000, 500_000);
  const contenders = {
    closed: async () => nanosOf({ caller: AGENT, circuit: CLOSED }, count),
    none: async () => nanosOf({ caller: OPERATOR, circuit: CLOSED }, count),
    // An error and its stack are made each time.
    open: async () => nanosOf({ caller: AGENT, circuit: OPEN }, count / 10),
  };
  rig.say('  warming up');
  for (const contender of Object.values(contenders)) await contender();
  const rounds = await interleave(contenders, rig.rounds);
  const figure = (what: string, name: 'closed' | 'open') => ({
    what,
    value: median(rounds[name]),
    unit: 'ns',
    reference: { what: 'without a circuit', value: median(rounds.none) },
    ratio: medianRatio(rounds[name], rounds.none),
  });
  return {
    figures: [figure('admitting an event, circuit closed', 'closed'), figure('refusing it, circuit open', 'open')],
    notes: [
      `${TOPICS} topics in turns under a policy of two patterns, with a limit on the rate; in the process of the bench`,
    ],
    rounds,
  };
}

/** Nanoseconds for one event. */
function nanosOf({ caller, circuit }: { caller: BusCaller; circuit: AgentCircuit }, count: number): number {
  // As in a core, where the agents' circuits are in a map.
  const circuits = new Map([['a', circuit]]);
  const access = new Access('bencher', 'bencher', {
    publish: ['bench.>'],
    denyPublish: ['bench.secret.>'],
    subscribe: [],
    denySubscribe: [],
  });
  const rate = new RateLimit({ perSecond: 1e9, burstSeconds: 1, words: '1e9 events per second', clock: systemClock });
  const topics = Array.from({ length: TOPICS }, (_, index) => topicAt(index));
  const circuitOf = ({ agentId }: { agentId: string }) => circuits.get(agentId) ?? null;
  let refused = 0;
  const started = performance.now();
  for (let index = 0; index < count; index++) {
    try {
      admit({ caller, access, circuitOf, rate, now: Date.now() }, topics[index % TOPICS] ?? '');
    } catch {
      refused += 1;
    }
  }
  const nanos = ((performance.now() - started) * 1e6) / count;
  const expected = circuit === OPEN ? count : 0;
  if (refused !== expected) throw new Error(`${refused} of ${count} were refused`);
  return nanos;
}
