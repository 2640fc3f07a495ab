// What has to be told of circuits: written by the commit that changes one, and gone once it was told.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table circuit_news (
      namespace text collate "C" not null,
      revision bigint not null,
      agent_id uuid not null,
      name text not null,
      role text not null,
      circuit text not null,
      reason text,
      at timestamptz not null,
      due_at timestamptz not null,
      primary key (namespace, revision)
    )`.execute(db);
  await sql`
    create function note_circuit() returns trigger language plpgsql as $$
    begin
      insert into circuit_news (namespace, revision, agent_id, name, role, circuit, reason, at, due_at)
      values (new.namespace, new.revision, (new.after ->> 'id')::uuid, new.name, new.after ->> 'role',
        new.after #>> '{status,circuit}', new.after #>> '{status,reason}', new.at, now());
      return null;
    end $$`.execute(db);
  await sql`
    create trigger changes_of_circuits after insert on changes for each row
    when (new.change = 'status'
      and new.before #>> '{status,circuit}' is distinct from new.after #>> '{status,circuit}')
    execute function note_circuit()`.execute(db);
}
