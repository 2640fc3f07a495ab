// What operators do with a swarm, for those who let a model do it: each tool is one procedure. Listed with `?admin=true` alone. Nothing here
// answers questions, approves plans, or makes tokens.
import type { CallerKind, ProcedureName } from '@hypercode/contracts';
import { callProcedure, servedProcedure } from '@hypercode/server';
import { type Tool, tool } from './tool.ts';

interface Administration {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly procedure: ProcedureName;
}

/** An agent's own token may do some of it to itself, with other tools. */
const KINDS: readonly CallerKind[] = ['admin', 'operator'];

const TABLE: readonly Administration[] = [
  {
    name: 'cancel_goal',
    title: 'Cancel a goal',
    description: 'Cancel a goal and its plan; agents that work on it are notified. Example: {"goalId":"…"}.',
    procedure: 'goals.cancel',
  },
  {
    name: 'retry_plan',
    title: 'Retry a failed plan',
    description: 'Let a failed plan go on from where it failed. Example: {"planId":"…"}.',
    procedure: 'plans.retry',
  },
  {
    name: 'pause_group',
    title: 'Pause a consumer group',
    description: 'Let a group hand nothing out until it is resumed. Example: {"group":"orders","reason":"bad data"}.',
    procedure: 'groups.pause',
  },
  {
    name: 'resume_group',
    title: 'Resume a consumer group',
    description: 'Let a paused group go on. Example: {"group":"orders"}.',
    procedure: 'groups.resume',
  },
  {
    name: 'list_dead_letters',
    title: 'List dead letters',
    description: 'Show the events that a group has given up on, and why. Example: {"group":"orders","limit":10}.',
    procedure: 'bus.deadLetters',
  },
  {
    name: 'redrive_dead_letters',
    title: 'Deliver dead letters again',
    description:
      'Deliver events again that a group has given up on: these, or all. Example: {"group":"orders","all":true}.',
    procedure: 'bus.redrive',
  },
  {
    name: 'trip_circuit',
    title: 'Stop what an agent publishes',
    description:
      'Refuse what an agent publishes until its circuit is reset. Example: {"name":"coder-1","reason":"loops"}.',
    procedure: 'circuit.trip',
  },
  {
    name: 'reset_circuit',
    title: 'Let an agent publish again',
    description: 'Accept again what an agent publishes. Example: {"name":"coder-1"}.',
    procedure: 'circuit.reset',
  },
  {
    name: 'remove_agent',
    title: 'Remove an agent',
    description:
      'Deregister an agent: its tokens end, and its name becomes free. Example: {"name":"coder-1","reason":"gone"}.',
    procedure: 'registry.deregister',
  },
];

export const administrationTools: readonly Tool[] = TABLE.map(({ procedure, ...words }) => {
  const { declared } = servedProcedure(procedure);
  const { namespace: _, ...fields } = declared.input.shape;
  return tool(
    {
      ...words,
      readOnly: declared.kind === 'query',
      calls: [procedure],
      kinds: KINDS,
      administration: true,
      long: true,
    },
    fields,
    async ({ call, namespace }, input) => {
      const result = await callProcedure(procedure, call, { ...input, namespace });
      return { text: 'Done. The result is under `untrusted`.', untrusted: { result } };
    },
  );
});
