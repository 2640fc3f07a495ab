// How a consumer group looks in a list.
import { countWord } from '../../output/states.ts';
import { yellow } from '../../output/parts.ts';
import type { Column } from '../../output/table.ts';
import type { GroupInfo } from '@hypercode/contracts';

export const GROUP_COLUMNS: readonly Column<GroupInfo>[] = [
  { title: 'group', value: ({ group }) => group },
  { title: 'state', value: ({ paused }) => (paused === null ? 'active' : yellow('paused')) },
  { title: 'lag', value: ({ lag }) => String(lag), align: 'right' },
  { title: 'in flight', value: ({ inFlight }) => String(inFlight), align: 'right' },
  { title: 'waiting', value: ({ waiting }) => String(waiting), align: 'right' },
  { title: 'dead', value: ({ deadLetters }) => countWord(deadLetters), align: 'right' },
  { title: 'topics', value: ({ topics }) => topics.join(' '), optional: true },
];
