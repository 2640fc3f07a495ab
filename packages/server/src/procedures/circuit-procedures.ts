// The procedures of circuits.
import type { Api } from '@hypercode/contracts';
import type { Handlers } from './handler.ts';

export const circuitProcedures: Handlers<Api['circuit']> = {
  trip: ({ core }, input) => core.registry.circuits.trip(input),
  reset: ({ core }, input) => core.registry.circuits.reset(input),
};
