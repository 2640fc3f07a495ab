// Whether an operator has tripped the name of an agent, in a query of agents.
import { sql } from 'kysely';

/** `agents` is what the query calls the table. */
export const storedTrip = (agents: 'agents' | 'a') => sql`(
  select jsonb_build_object('reason', h.reason) from operator_holds h
  where h.namespace = ${sql.ref(agents)}.namespace and h.name = ${sql.ref(agents)}.name and h.hold = 'trip'
)`;
