// The client of a core: its procedures, its watch and its directory, over one connection.
import { SwarmError } from '@hypercode/contracts';
import { AgentDirectory, type DirectoryFilter } from './agent-directory.ts';
import { type Connection, openConnection, type SwarmClientOptions } from './connection.ts';
import { createProcedures, type Procedures } from './procedures.ts';
import { type Watch, watchAgents, type WatchOptions } from './watch.ts';

export interface SwarmClient extends Procedures {
  /**
   * A snapshot of the agents that match, `synced`, then every change after it: in order, none missing, none twice. A
   * lost connection is resumed without the reader noticing; when it can not be resumed where it was, or a snapshot was
   * cut off, a new snapshot comes whose chunks say `reset` (a chunk of another revision than the one before it begins a
   * new snapshot).
   *
   * The reader's pace is the stream's: nothing is queued. Leaving the loop closes the connection; so do `signal` and
   * `close`, which end the loop without an error. The loop throws a SwarmError that no retry can help (UNAUTHENTICATED,
   * FORBIDDEN, FENCED, INVALID_INPUT …).
   */
  watch(options?: WatchOptions): Watch;
  /** A live local mirror of the agents that match. */
  directory(filter?: DirectoryFilter): AgentDirectory;
  /** Ends every watch, directory and call of this client. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * A client of the core at `url`. Calls that are made at the same time travel as one request; each rejects with a
 * SwarmError, and with UNAVAILABLE when no answer came back, in which case the outcome is unknown.
 * @throws SwarmError INVALID_INPUT when `url` is none.
 */
export function createSwarmClient(options: SwarmClientOptions): SwarmClient {
  return clientOn(openConnection(options));
}

export function clientOn(connection: Connection): SwarmClient {
  const close = async (): Promise<void> => connection.close(new SwarmError('UNAVAILABLE', 'the client is closed'));
  return {
    ...createProcedures(connection),
    watch: (options = {}) => watchAgents(connection, options),
    directory: (filter) => new AgentDirectory(connection, filter),
    close,
    [Symbol.asyncDispose]: close,
  };
}
