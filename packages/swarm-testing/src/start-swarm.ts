// Starts a core for a test, hands out clients and agents of it, and ends all of them together.
import {
  type ConnectAgentOptions,
  connectAgent,
  type ConnectedAgent,
  createSwarmClient,
  type SwarmClient,
  type SwarmClientOptions,
} from '@hypercode/client';
import { startCore } from '@hypercode/core-runtime';
import { pino } from 'pino';
import { databaseImage } from './image.ts';
import { configurationOf, type SwarmSettings } from './settings.ts';

export type { SwarmSettings } from './settings.ts';

export interface StartSwarmOptions extends SwarmSettings {
  /** Policy of the namespace `default`. Default: the one that every core begins with. */
  readonly policy?: Parameters<SwarmClient['policy']['put']>[0]['policy'] | undefined;
  /** Lowest level of what the core logs, to stdout. Default: `silent`. */
  readonly logLevel?: 'silent' | 'error' | 'warn' | 'info' | 'debug' | undefined;
}

/** An agent to connect. Its token is the swarm's join token, unless given. */
export type SwarmAgent = Omit<ConnectAgentOptions, 'url' | 'token'> & Partial<Pick<ConnectAgentOptions, 'token'>>;

export interface Swarm extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly adminToken: string;
  /** Registers agents of every role in the namespace `default`. */
  readonly joinToken: string;
  /** A client with the administrator's token. */
  readonly admin: SwarmClient;
  /** A client with another token, or of another namespace. */
  client(options?: Omit<SwarmClientOptions, 'url'>): SwarmClient;
  /** Registers an agent, and resolves when the core knows it. */
  connectAgent(agent: SwarmAgent): Promise<ConnectedAgent>;
  /** Stops the agents, closes the clients, and ends the core. Safe to call again. */
  close(): Promise<void>;
}

/**
 * A core of its own, in memory: nothing is shared with other swarms, and nothing is left of it after `close`. It is ready in less
 * than a second; on a machine where none was started before, in some seconds.
 */
export async function startSwarm(options: StartSwarmOptions = {}): Promise<Swarm> {
  const { policy, logLevel = 'silent', ...settings } = options;
  const { url, tokens, close } = await startCore({
    config: configurationOf(settings),
    image: await databaseImage(),
    logger: pino({ level: logLevel }),
    signal: new AbortController().signal,
  });
  const parts = new AsyncDisposableStack();
  parts.defer(close);
  try {
    const { admin: adminToken, join: joinToken } = tokens;
    if (adminToken === null || joinToken === null) throw new Error('the core has no tokens');
    const client: Swarm['client'] = (given = { token: adminToken }) => parts.use(createSwarmClient({ url, ...given }));
    const admin = client();
    if (policy !== undefined) await admin.policy.put({ policy });
    return {
      url,
      adminToken,
      joinToken,
      admin,
      client,
      connectAgent: async (agent) => parts.use(await connectAgent({ url, token: joinToken, ...agent })),
      close: () => parts.disposeAsync(),
      [Symbol.asyncDispose]: () => parts.disposeAsync(),
    };
  } catch (error) {
    await parts.disposeAsync();
    throw error;
  }
}
