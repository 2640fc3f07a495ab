// What operators have decided about names. It is kept beside the agents, so that no act of an agent ends it.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table operator_holds (
      namespace text collate "C" not null,
      name text collate "C" not null,
      hold text not null,
      reason text,
      agent jsonb not null,
      held_at timestamptz not null,
      primary key (namespace, name, hold)
    )`.execute(db);
  // Trips were kept with the process of the agent.
  await sql`
    insert into operator_holds (namespace, name, hold, reason, agent, held_at)
    select namespace, name, 'trip', liveness #>> '{circuit,reason}', doc, now() from agents
    where liveness #>> '{circuit,tripped}' = 'true' and liveness ->> 'agentId' = id::text
      and (liveness ->> 'incarnation') is not distinct from incarnation::text`.execute(db);
}
