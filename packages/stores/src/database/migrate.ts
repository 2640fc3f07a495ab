// Brings a database to the newest schema. Replicas that start together wait for one another.
import type { Kysely } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';

/**
 * Runs every migration that `db` has not seen yet, all under one lock and in one transaction.
 * Throws the error of the migration that failed; nothing of it is kept.
 */
export async function migrate<S>(db: Kysely<S>, migrations: Record<string, Migration>): Promise<void> {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve(migrations) },
    migrationTableName: 'swarm_migrations',
    migrationLockTableName: 'swarm_migrations_lock',
    allowUnorderedMigrations: true,
  });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error instanceof Error ? error : new Error('the migration failed', { cause: error });
}
