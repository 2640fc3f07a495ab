// Starts a core in this process.
import type { Logger } from 'pino';
import { assembleCore, type CoreTokens } from './assemble-core.ts';
import type { CoreConfiguration } from './configuration.ts';

export interface RunningCore {
  /** Where it listens. */
  readonly url: string;
  /** Null when it runs on a PostgreSQL server, or in memory. */
  readonly dataDir: string | null;
  /** The tokens of the configuration, or of the data folder where it gives none. */
  readonly tokens: CoreTokens;
  /** Drains and stops. */
  readonly close: () => Promise<void>;
}

export interface StartOptions {
  readonly config: CoreConfiguration;
  readonly logger: Logger;
  /** Aborts the start. */
  readonly signal: AbortSignal;
  /**
   * A file that `writeDatabaseImage` wrote. Without `config.databaseUrl`, the core then stores nothing: its database is in memory, and
   * `config.dataDir` is not used. It has the tokens of `config` alone.
   */
  readonly image?: string | undefined;
}

/** Starts a core. Rejects, with everything closed again, when a store cannot be used or the port cannot be taken. */
export async function startCore(options: StartOptions): Promise<RunningCore> {
  const { url, dataDir, tokens, close } = await assembleCore(options);
  return { url, dataDir, tokens, close };
}
