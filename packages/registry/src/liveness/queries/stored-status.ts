// An agent's status as it is stored, in a query of agents.
import { sql } from 'kysely';

/** Documents of earlier versions do not have a `circuitOpenUntil`. */
export const storedStatus = sql`'{"circuitOpenUntil": null}'::jsonb || (doc -> 'status')`;
