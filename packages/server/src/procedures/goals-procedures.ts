// The procedures of goals: each publishes an event as the caller, and the policy decides as with every event.
import { type Api, invalidField, type Json, jsonFault } from '@hypercode/contracts';
import { assertPlannable, goalEventId, planIdOf } from '@hypercode/plans';
import { busCallerOf } from './bus-caller.ts';
import type { Handlers } from './handler.ts';

export const goalsProcedures: Handlers<Api['goals']> = {
  async submit({ core, identity }, { namespace, goalId = core.clock.newId(), ...given }) {
    assertPlannable(given);
    const data = { goalId, ...given } as unknown as Json;
    // A goal around its inputs is nested deeper than they are.
    const fault = jsonFault(data);
    if (fault !== null) throw invalidField(fault.path.join('.') || 'steps', fault.reason);
    const event = { id: goalEventId(goalId), topic: 'goal.submitted', data, correlationId: goalId };
    const { id: eventId, ...published } = await core.bus.publish(busCallerOf(identity), namespace, event);
    return { goalId, planId: planIdOf(goalId), eventId, ...published };
  },

  async cancel({ core, identity }, { namespace, goalId, reason }) {
    const data = reason === undefined ? { goalId } : { goalId, reason };
    const event = { topic: 'goal.cancelled', data, correlationId: goalId };
    const { id: eventId, position } = await core.bus.publish(busCallerOf(identity), namespace, event);
    return { goalId, eventId, position };
  },
};
