// Notes a change of a circuit beside the change itself.
import { sql } from 'kysely';

/** The trigger of `changes` for circuits: writes what has to be announced on the bus, in the transaction of the change. */
export const noteCircuit = sql`
  create or replace function note_circuit() returns trigger language plpgsql as $$
  begin
    insert into circuit_news (namespace, revision, agent_id, name, role, circuit, reason, at, due_at)
    values (new.namespace, new.revision, (new.after ->> 'id')::uuid, new.name, new.after ->> 'role',
      new.after #>> '{status,circuit}', new.after #>> '{status,reason}', new.at, now());
    return null;
  end $$`;
