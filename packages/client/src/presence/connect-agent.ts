// Connecting an agent to the swarm, and staying connected.
import { systemClock } from '@hypercode/clock';
import type { AgentRegistrationInput, SwarmError } from '@hypercode/contracts';
import { abortError } from '../transport/bounded.ts';
import { ConnectedAgent } from './connected-agent.ts';
import type { SwarmClientOptions } from '../transport/client-options.ts';
import { onAbort } from '../transport/on-abort.ts';

type Registration = Omit<AgentRegistrationInput, 'incarnation' | 'namespace'>;

export interface ConnectAgentOptions extends SwarmClientOptions, Registration {
  /** Milliseconds between heartbeats. Default: a third of the lease that the core grants. */
  readonly heartbeatMs?: number | undefined;
  /** A later incarnation has taken the name: this one has ended for good, and the process has nothing left to do. */
  readonly onFenced?: ((error: SwarmError<'FENCED'>) => void) | undefined;
  /** A registration or heartbeat failed and will be tried again. Called before the first registration, too. */
  readonly onError?: ((error: SwarmError) => void) | undefined;
  /** Gives up connecting; once connected, does what `stop` does. */
  readonly signal?: AbortSignal | undefined;
}

/** An agent that is handed around before it is registered; how to end it then is the holder's business. */
export type CreateAgentOptions = Omit<ConnectAgentOptions, 'signal'>;

/**
 * An agent under a new incarnation that does nothing yet: `register` brings it into the registry, and its client's calls
 * wait for that, each for as long as it may take.
 * @throws SwarmError INVALID_INPUT with an option that can never work, such as a `url` that is none.
 */
export function createAgent(options: CreateAgentOptions): ConnectedAgent {
  const { url, token, namespace, fetch, headers, timeoutMs, publishTimeoutMs, publishBuffer, ...others } = options;
  const { webSocket, whenCircuitOpen, correlate, logger, heartbeatMs, onFenced, onError, ...registration } = others;
  const agent = new ConnectedAgent(
    {
      url,
      token,
      namespace,
      fetch,
      headers,
      timeoutMs,
      publishTimeoutMs,
      publishBuffer,
      whenCircuitOpen,
      correlate,
      logger,
      webSocket,
    },
    { registration: { ...registration, incarnation: systemClock.newId() }, heartbeatMs },
  );
  if (onFenced !== undefined) agent.on('fenced', onFenced);
  if (onError !== undefined) agent.on('error', onError);
  return agent;
}

/**
 * Registers the agent under a new incarnation and keeps it alive until `stop`. `token` is a join token. While the core
 * cannot be reached, it goes on trying (`onError` receives the errors). It rejects with the refusal when no retry can help.
 */
export async function connectAgent({ signal, ...options }: ConnectAgentOptions): Promise<ConnectedAgent> {
  if (signal !== undefined && isAborted(signal)) throw abortError(signal);
  const connected = createAgent(options);
  const release = signal === undefined ? () => {} : onAbort(signal, () => void connected.stop());
  connected.on('stopped', release);
  connected.on('fenced', release);
  try {
    await connected.register();
  } catch (error) {
    release();
    throw signal !== undefined && isAborted(signal) ? abortError(signal) : error;
  }
  return connected;
}

/** A function, because the compiler takes `aborted` for unchanging. */
const isAborted = (signal: AbortSignal): boolean => signal.aborted;
