// `swarm mcp`: MCP over stdin and stdout, for clients that only start programs.
import { command } from '../program/command.ts';

export const mcp = command({
  path: ['mcp'],
  summary: 'Serve MCP on stdin and stdout, for coding agents',
  details:
    'Serve MCP on stdin and stdout, for coding agents that start a program: each message is handed to `/mcp` of the core, with the token ' +
    'that other commands use. Give it a join token, so that the agent can join. It ends with its input. When the core does not answer, the ' +
    'request ends with an error, and the next one is tried again. docs/mcp.md has the configuration of some clients.',
  calls: [],
  args: {},
  options: {},
  examples: [{ run: 'swarm mcp', does: 'What a client starts; it is of no use at a terminal' }],
  async run(context) {
    const [{ McpBridge }, { url, token }] = await Promise.all([import('./bridge.ts'), context.target()]);
    const { stdin, stdout } = context.surroundings;
    const bridge = new McpBridge({
      url: new URL('/mcp', url),
      token,
      write: (line) => void stdout.write(`${line}\n`),
      onError: (text) => context.output.note(text),
    });
    context.signal.addEventListener('abort', () => bridge.close(), { once: true });
    await bridge.run(stdin);
  },
});
