// What an agent knows of its circuit when answers come in any order.
import { type CircuitState, SwarmError } from '@hypercode/contracts';
import { expect, test } from 'vitest';
import { OwnCircuit } from './own-circuit.ts';

function listening() {
  const received: [CircuitState, string | null][] = [];
  const circuit = new OwnCircuit();
  circuit.onChange((...change) => void received.push(change));
  return { received, circuit };
}

test('listeners are notified of changes of the circuit only', () => {
  const { received, circuit } = listening();
  expect(circuit.state).toBe('closed');
  circuit.learn(circuit.begin(), 'closed');
  circuit.learn(circuit.begin(), 'open');
  circuit.learn(circuit.begin(), 'open', 'no answer');
  circuit.learn(circuit.begin(), 'half_open');
  circuit.learn(circuit.begin(), 'half_open', null);
  circuit.learn(circuit.begin(), 'closed', 'left over');
  expect(received).toEqual([
    ['open', null],
    ['open', 'no answer'],
    ['half_open', 'no answer'],
    ['closed', null],
  ]);
});

test('believes the request that began last', () => {
  const { received, circuit } = listening();
  const early = circuit.begin();
  const late = circuit.begin();
  circuit.learn(late, 'open', 'runaway');
  circuit.learn(early, 'closed');
  expect(circuit.state).toBe('open');
  circuit.learn(circuit.begin(), 'closed');
  expect(received).toHaveLength(2);
});

test.each([
  [{ circuit: 'half_open', reason: 'late' }, 'half_open', 'late'],
  [{ circuit: 'open', reason: null }, 'open', null],
  [{ circuit: 'ajar', reason: 7 }, 'open', null],
  [undefined, 'open', null],
])('reads a refusal with %o', (details, state, reason) => {
  const { received, circuit } = listening();
  circuit.learnFromRefusal(circuit.begin(), new SwarmError('CIRCUIT_OPEN', 'no', { details }));
  expect(received).toEqual([[state, reason]]);
});
