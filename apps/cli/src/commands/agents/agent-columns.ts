// How an agent looks in a list.
import type { AgentSummary } from '@hypercode/client';
import { stateWord } from '../../output/states.ts';
import type { Column } from '../../output/table.ts';
import { showAgo } from '../../output/times.ts';

export const agentColumns = (nowMs: number): readonly Column<AgentSummary>[] => [
  { title: 'name', value: ({ name }) => name },
  { title: 'role', value: ({ role }) => role },
  { title: 'health', value: ({ status }) => stateWord(status.health) },
  { title: 'activity', value: ({ status }) => stateWord(status.activity) },
  { title: 'circuit', value: ({ status }) => stateWord(status.circuit) },
  { title: 'seen', value: ({ status }) => showAgo(status.lastSeenAt, nowMs) },
  { title: 'version', value: ({ version }) => version, optional: true },
  {
    title: 'note',
    value: ({ status }) => status.note ?? (status.health === 'healthy' ? '' : (status.reason ?? '')),
    optional: true,
  },
];
