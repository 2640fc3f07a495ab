// Everything of a database's schema that a statement can meet, in a form that can be compared.
import { type Kysely, sql } from 'kysely';

const PARTS = {
  columns: sql`
    select c.relname, a.attname, format_type(a.atttypid, a.atttypmod) as type, a.attnotnull, l.collname,
      pg_get_expr(d.adbin, d.adrelid) as value
    from pg_attribute a
    join pg_class c on c.oid = a.attrelid
    left join pg_collation l on l.oid = a.attcollation
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
    order by c.relname, a.attnum`,
  tables: sql`
    select relname, reloptions from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'i') order by relname`,
  indexes: sql`select indexdef from pg_indexes where schemaname = 'public' order by indexname`,
  constraints: sql`
    select conrelid::regclass::text, pg_get_constraintdef(oid) from pg_constraint
    where connamespace = 'public'::regnamespace order by 1, 2`,
  functions: sql`
    select pg_get_functiondef(oid) from pg_proc where pronamespace = 'public'::regnamespace order by proname, oid::regprocedure::text`,
  triggers: sql`select pg_get_triggerdef(oid) from pg_trigger where not tgisinternal order by tgname`,
  migrations: sql`select name from swarm_migrations order by name`,
  installed: sql`select component, release, digest from swarm_functions order by component`,
};

export async function describeSchema<S>(db: Kysely<S>): Promise<Record<string, unknown[]>> {
  const parts: Record<string, unknown[]> = {};
  for (const [name, query] of Object.entries(PARTS)) parts[name] = (await query.execute(db)).rows;
  return parts;
}
