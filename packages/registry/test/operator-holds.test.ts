// Trips that a release kept with the process of an agent are kept by name after its migration.
import { migrate, openDatabase } from '@hypercode/stores';
import { embeddedFolder } from '@hypercode/testkit';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { registrySchema } from '../src/database-schema.ts';
import { freshCircuit, freshMemory } from '../src/documents/liveness-memory.ts';
import type { Schema } from '../src/schema.ts';

const BEFORE = Object.fromEntries(
  Object.entries(registrySchema.migrations).filter(([name]) => name < '20261129-operator-holds'),
);
const ID = '019adf00-0000-7000-8000-000000000001';
const OTHER = '019adf00-0000-7000-8000-000000000002';

test('a trip of the release before is carried over, unless it was of a former process or a former agent', async () => {
  const folder = await embeddedFolder('operator-holds');
  const database = await openDatabase({ dataDir: folder.path });
  const db = database.kysely.$extendTables<Schema>();
  await migrate(database.kysely, [{ ...registrySchema, migrations: BEFORE }]);
  const tripped = { ...freshCircuit, circuit: 'open', tripped: true, reason: 'runaway' } as const;
  const rows = {
    tripped: { ...freshMemory(ID, null), circuit: tripped },
    'former-process': { ...freshMemory(ID, OTHER), circuit: tripped },
    'former-agent': { ...freshMemory(OTHER, null), circuit: tripped },
    failing: { ...freshMemory(ID, null), circuit: { ...tripped, tripped: false, openUntil: 1 } },
  };
  for (const [name, memory] of Object.entries(rows)) {
    await sql`insert into agents (namespace, name, id, doc, revision, facets, search, liveness)
      values ('default', ${name}, ${ID}, ${JSON.stringify({ name })}::jsonb, 1, '{}', '', ${JSON.stringify(memory)}::jsonb)`.execute(
      db,
    );
  }
  await migrate(database.kysely, [registrySchema]);
  const holds = await db
    .selectFrom('operator_holds')
    .select(['namespace', 'name', 'hold', 'reason', 'agent'])
    .execute();
  expect(holds).toEqual([
    { namespace: 'default', name: 'tripped', hold: 'trip', reason: 'runaway', agent: { name: 'tripped' } },
  ]);
  await database.close();
  await folder.remove();
});
