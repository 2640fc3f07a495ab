// All consumer groups of the namespace, live from the overview.
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import type { GroupInfo } from '@hypercode/contracts';
import { useCallback, useMemo } from 'react';
import { Age } from '../../parts/age.tsx';
import { Button } from '../../parts/button.tsx';
import { countText } from '../../parts/duration.ts';
import { SearchField } from '../../parts/fields.tsx';
import { Empty, ScreenHead } from '../../parts/panel.tsx';
import { Cell, Head, Rows } from '../../parts/rows.tsx';
import { useOverview } from '../../swarm/swarm-context.tsx';

const COLUMNS = 'minmax(10rem,1.2fr) 5rem minmax(10rem,2fr) 5rem 5rem 5rem 5rem 5rem 6rem';

export function Groups() {
  const { text } = useSearch({ from: '/groups' });
  const { overview } = useOverview();
  const navigate = useNavigate({ from: '/groups' });
  const groups = overview?.groups ?? [];
  const found = useMemo(() => {
    const wanted = text?.trim().toLowerCase();
    if (!wanted) return groups;
    return groups.filter(({ group, topics }) => [group, ...topics].some((word) => word.toLowerCase().includes(wanted)));
  }, [groups, text]);
  const setText = useCallback(
    (typed: string) => {
      const change = { text: typed === '' ? undefined : typed };
      void navigate({ search: (before) => ({ ...before, ...change }), replace: true });
    },
    [navigate],
  );
  const count = text ? `${countText(found.length)} of ${countText(groups.length)}` : countText(groups.length);
  return (
    <div className="flex h-full flex-col">
      <ScreenHead title="Groups" count={overview === null ? 'reading…' : count}>
        <SearchField label="Search groups and topics" value={text ?? ''} onChange={setText} />
      </ScreenHead>
      {found.length > 0 && (
        <Rows
          label="Groups"
          items={found}
          keyOf={({ group }) => group}
          columns={COLUMNS}
          onOpen={({ group }) => void navigate({ to: '/groups/$group', params: { group } })}
          head={
            <>
              <Head>Name</Head>
              <Head>State</Head>
              <Head>Topics</Head>
              <Head className="text-right">Unread</Head>
              <Head className="text-right">Behind</Head>
              <Head className="text-right">Members</Head>
              <Head className="text-right">In flight</Head>
              <Head className="text-right">Waiting</Head>
              <Head className="text-right">Dead letters</Head>
            </>
          }
          row={(group) => <GroupRow group={group} />}
        />
      )}
      {found.length === 0 && overview !== null && (
        <Empty title={text ? 'No group matches.' : 'No consumer group yet.'}>
          {text ? (
            <Button onClick={() => setText('')}>Clear the search</Button>
          ) : (
            'A group is made by the first call that consumes it. Its members share the events, one at a time each.'
          )}
        </Empty>
      )}
    </div>
  );
}

function GroupRow({ group: info }: { readonly group: GroupInfo }) {
  const { group, topics, lag, oldestUnreadAt, members, inFlight, waiting, deadLetters, paused } = info;
  return (
    <>
      <Cell>
        <Link to="/groups/$group" params={{ group }} className="font-medium hover:underline" tabIndex={-1}>
          {group}
        </Link>
      </Cell>
      <Cell>
        {paused === null ? <span className="text-soft">running</span> : <span className="text-warn">paused</span>}
      </Cell>
      <Cell className="font-mono text-[12px] text-soft">{topics.join(', ')}</Cell>
      <Figure value={lag} isWrong={false} />
      <Cell className="text-right text-soft">{oldestUnreadAt !== null && <Age at={oldestUnreadAt} suffix="" />}</Cell>
      <Figure value={members} isWrong={false} />
      <Figure value={inFlight} isWrong={false} />
      <Figure value={waiting} isWrong={false} />
      <Figure value={deadLetters} isWrong />
    </>
  );
}

const Figure = ({ value, isWrong }: { readonly value: number; readonly isWrong: boolean }) => (
  <Cell className={`text-right ${value === 0 ? 'text-faint' : isWrong ? 'font-medium text-bad' : ''}`}>
    {countText(value)}
  </Cell>
);
