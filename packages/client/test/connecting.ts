// Connecting agents in tests.
import { connectAgent, type ConnectAgentOptions } from '../src/index.ts';

interface Beat {
  readonly status: number;
  readonly body: { activity?: string; incarnation?: string };
}

/** Connects agents of `core` and keeps a record of their heartbeats. */
export const connectorTo =
  (core: { readonly url: string; readonly joinToken: string }) =>
  async (name: string, options: Partial<ConnectAgentOptions> = {}) => {
    const beats: Beat[] = [];
    const recording: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      const { pathname } = new URL(input instanceof Request ? input.url : input);
      const body: unknown = typeof init?.body === 'string' ? JSON.parse(init.body) : {};
      if (pathname.endsWith('/heartbeat')) beats.push({ status: response.status, body: body as Beat['body'] });
      return response;
    };
    const agent = await connectAgent({
      url: core.url,
      token: core.joinToken,
      name,
      role: 'worker',
      version: '1.0.0',
      fetch: recording,
      ...options,
    });
    return { agent, beats };
  };
