// What a session of PostgreSQL is set to, whatever the defaults of the server, the database or the role are.
import type { ClientBase, QueryConfig } from 'pg';

/**
 * Everything that changes what a statement means, how a value is written, or when the server ends what it runs. Left to the
 * operator on purpose: `default_transaction_read_only`, `synchronous_commit`, and what only makes statements faster or slower.
 */
const PINNED: Readonly<Record<string, string>> = {
  client_encoding: 'UTF8',
  datestyle: 'ISO, MDY',
  intervalstyle: 'postgres',
  timezone: 'UTC',
  bytea_output: 'hex',
  extra_float_digits: '1',
  standard_conforming_strings: 'on',
  array_nulls: 'on',
  transform_null_equals: 'off',
  default_transaction_isolation: 'read committed',
  default_transaction_deferrable: 'off',
  lock_timeout: '0',
  idle_session_timeout: '0',
  // PostgreSQL 17.
  transaction_timeout: '0',
};

/** A core that stops inside a transaction must not hold the revision counter. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 5_000;
const PIN_TIMEOUT_MS = 5_000;

export interface SessionSettings {
  /** 0 is no limit. */
  readonly statementTimeoutMs: number;
  /** Null leaves the one of the role or the database, which a pool then keeps. */
  readonly searchPath: string | null;
}

/**
 * Sets a new session by a statement, not by parameters of the connection: a pooler refuses most of those. A setting that the
 * server does not know is left out. Resolves with the search path, for later sessions.
 */
export async function pinSession(client: ClientBase, settings: SessionSettings): Promise<string> {
  const { statementTimeoutMs, searchPath } = settings;
  const pinned = {
    ...PINNED,
    statement_timeout: String(statementTimeoutMs),
    idle_in_transaction_session_timeout: String(IDLE_IN_TRANSACTION_TIMEOUT_MS),
    ...(searchPath === null ? {} : { search_path: searchPath }),
  };
  const query: QueryConfig & { readonly query_timeout: number } = {
    text: `select pg_catalog.set_config(name, value, false)
      from unnest($1::text[], $2::text[]) as pinned (name, value)
      where pg_catalog.current_setting(name, true) is not null`,
    values: [Object.keys(pinned), Object.values(pinned)],
    query_timeout: PIN_TIMEOUT_MS,
  };
  await client.query(query);
  if (searchPath !== null) return searchPath;
  const { rows } = await client.query<{ path: string }>(`select pg_catalog.current_setting('search_path') as path`);
  return rows[0]?.path ?? '';
}

/** An address of PostgreSQL as the driver takes it, and the schemas that it names. */
export interface SessionAddress {
  readonly connectionString: string;
  readonly searchPath: string | null;
}

const SEARCH_PATH_OPTION = /(?:^|\s)(?:-c\s*|--)search_path=((?:\\.|[^\s\\])*)/;

/**
 * Takes the schema out of `?schema=NAME`, or out of `?options=-c search_path=…` as libpq has it: it is set by a statement,
 * since a pooler refuses it as a parameter of the connection. Everything else stays in the address.
 */
export function sessionAddress(url: string): SessionAddress {
  if (!URL.canParse(url)) return { connectionString: url, searchPath: null };
  const address = new URL(url);
  const schema = address.searchParams.get('schema');
  const options = address.searchParams.get('options');
  const found = options === null ? null : SEARCH_PATH_OPTION.exec(options);
  if (schema === null && found === null) return { connectionString: url, searchPath: null };
  const parameters = [...address.searchParams].flatMap(([name, value]): [string, string][] => {
    if (name === 'schema') return [];
    if (name !== 'options') return [[name, value]];
    const rest = value.replace(SEARCH_PATH_OPTION, '').trim();
    return rest === '' ? [] : [[name, rest]];
  });
  // The driver reads `+` as it stands, and not as a space.
  address.search = parameters
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&');
  const searchPath = schema === null ? (found?.[1] ?? '').replaceAll(/\\(.)/g, '$1') : quoted(schema);
  return { connectionString: address.href, searchPath };
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
