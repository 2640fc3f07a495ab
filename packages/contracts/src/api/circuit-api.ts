// The procedures of circuits.
import { Agent } from '../agent.ts';
import { ResetInput, TripInput } from '../circuit.ts';
import { LIMITS } from '../limits.ts';
import { mutation } from './procedure.ts';
import { OPERATE } from './rights.ts';

export const circuitApi = {
  trip: mutation({
    input: TripInput,
    output: Agent,
    maxAnswerBytes: LIMITS.registrationBytes,
    summary: 'Open the circuit of a name until it is reset, also for new agents of the name',
    rights: OPERATE,
    audited: true,
    errors: ['NOT_FOUND'],
  }),

  reset: mutation({
    input: ResetInput,
    output: Agent,
    maxAnswerBytes: LIMITS.registrationBytes,
    summary: "Close an agent's circuit, and forget its failures",
    rights: OPERATE,
    audited: true,
    errors: ['NOT_FOUND'],
  }),
};
