// Agents live: those that match, then a line for each change.
import type { AgentFilter, WatchEvent } from '@hypercode/client';
import { dim, type Line, partsOf } from '../../output/parts.ts';
import { stateWord } from '../../output/states.ts';
import { Table } from '../../output/table.ts';
import { showTime } from '../../output/times.ts';
import type { CommandContext } from '../../program/context.ts';
import { agentColumns } from './agent-columns.ts';

interface FollowOptions {
  /** Whether the agents that are there already are left out. */
  readonly onlyChanges: boolean;
}

/** Goes on until it is interrupted. */
export async function followAgents(
  context: CommandContext,
  filter: AgentFilter,
  { onlyChanges }: FollowOptions,
): Promise<void> {
  const { output, clock, signal } = context;
  const client = await context.client();
  const onInterruption = (error: Error): void => output.note(dim(`${error.message}; it will be tried again`));
  let table = new Table(output, agentColumns(clock.epochMs()));
  for await (const event of client.watch({ ...filter, signal, onInterruption })) {
    if (output.json) {
      printJson(event, { onlyChanges, print: (value) => output.object(value) });
    } else if (event.type === 'snapshot' && !onlyChanges) {
      for (const agent of event.agents) table.add(agent);
    } else if (event.type === 'synced' && !onlyChanges) {
      table.flush();
      table = new Table(output, agentColumns(clock.epochMs()));
    } else if (event.type === 'change') {
      output.line(changeLine(event));
    }
    await output.drained();
  }
}

function printJson(
  event: WatchEvent,
  { onlyChanges, print }: FollowOptions & { readonly print: (value: unknown) => void },
): void {
  if (event.type === 'change') print(event);
  else if (event.type === 'snapshot' && !onlyChanges) for (const agent of event.agents) print(agent);
}

function changeLine({ at, change, agent, revision }: Extract<WatchEvent, { type: 'change' }>): Line {
  const { status } = agent;
  return [
    dim(`${showTime(at)}  ${String(revision).padStart(6)}  `),
    `${change.padEnd(12)}  ${agent.name} (${agent.role})  `,
    ...partsOf(stateWord(status.health)),
    ' ',
    ...partsOf(stateWord(status.activity)),
    ...(status.circuit === 'closed' ? [] : [' circuit ', ...partsOf(stateWord(status.circuit))]),
    status.note === null ? '' : `  ${status.note}`,
  ];
}
