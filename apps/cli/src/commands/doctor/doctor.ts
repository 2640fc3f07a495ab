// `swarm doctor`: what is wrong, from the connection to the rights of agents, and what to do about it.
import { SwarmError, type SwarmClient } from '@hypercode/client';
import type { GroupInfo } from '@hypercode/contracts';
import { cyan, green, type Part, red, yellow } from '../../output/parts.ts';
import { command } from '../../program/command.ts';
import { EXIT } from '../../program/exit-codes.ts';
import { version } from '../../version.ts';
import { agentFindings } from './agent-findings.ts';
import {
  clockFindings,
  clusterFindings,
  type Finding,
  groupFindings,
  note,
  ok,
  tokenFindings,
  versionFindings,
} from './findings.ts';

const MARKS: Readonly<Record<Finding['level'], Part>> = { ok: green('✓'), note: yellow('!'), wrong: red('✗') };

export const doctor = command({
  path: ['doctor'],
  summary: 'Find what is wrong, and what to do',
  details:
    'Check the connection, the token, clocks, versions, stores, replicas, groups, dead letters, circuits and the rights of agents. Each finding says ' +
    'what to do. Exit code 1 when something is wrong (marked ✗); ! is worth knowing and may be meant so.',
  calls: ['whoami', 'cluster.status', 'bus.groups', 'groups.get', 'registry.query', 'policy.get'],
  args: {},
  options: {},
  examples: [
    { run: 'swarm doctor', does: 'What is wrong?', ends: EXIT.no },
    { run: 'swarm doctor --json', does: 'One finding a line, for a script', ends: EXIT.no },
  ],
  async run(context) {
    const { output, clock } = context;
    let isWrong = false;
    const print = (findings: readonly Finding[]): void => {
      for (const finding of findings) {
        isWrong ||= finding.level === 'wrong';
        if (output.json) {
          output.object(finding);
          continue;
        }
        output.line([MARKS[finding.level], ` ${finding.what}`]);
        if (finding.todo !== undefined) output.line([cyan('  → '), finding.todo]);
      }
    };
    const target = await context.target();
    const namespace = await context.namespace();
    print([ok(`core ${target.url}, namespace ${namespace}, token from ${target.from}`)]);
    const beforeMs = clock.epochMs();
    const me = await context.whoami();
    print(clockFindings(me, beforeMs, clock.epochMs()));
    print(versionFindings(me, version));
    print(tokenFindings(me, namespace, clock.epochMs()));
    const client = await context.client();
    const checks: readonly (readonly [what: string, procedure: string, check: () => Promise<Finding[]>])[] = [
      ['stores and replicas', 'cluster.status', async () => clusterFindings(await client.cluster.status({}))],
      ['groups', 'bus.groups', async () => groupFindings(client, await allGroups(client), clock.epochMs())],
      ['agents', 'registry.query', () => agentFindings(client)],
    ];
    for (const [what, procedure, check] of checks) {
      if (me.may.includes(procedure)) print(await check().catch((error: unknown) => [failed(what, error)]));
      else
        print([
          note(
            `${what}: not checked, since a token of the kind ${me.kind} may not ask`,
            'use the token of a viewer, operator or admin',
          ),
        ]);
    }
    return isWrong ? EXIT.no : EXIT.done;
  },
});

function failed(what: string, thrown: unknown): Finding {
  const { code, message } = SwarmError.from(thrown);
  return {
    level: 'wrong',
    what: `${what} could not be checked: ${message} (${code})`,
    todo: 'see the log of the core',
  };
}

async function allGroups(client: SwarmClient): Promise<GroupInfo[]> {
  const groups: GroupInfo[] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = await client.bus.groups({ limit: 250, ...(cursor && { cursor }) });
    groups.push(...page.groups);
    cursor = page.nextCursor;
  }
  return groups;
}
