// Where the page stands: live at which revision and position, or since when it stands still and why.
import { At } from '../parts/age.tsx';
import { Code } from '../parts/panel.tsx';
import { type FeedState, worstOf } from '../swarm/feed-state.ts';
import { useAgents, useNotices, useOverview, usePlans } from '../swarm/swarm-context.tsx';

export function StatusLine() {
  const agents = useAgents();
  const overview = useOverview();
  const plans = usePlans();
  const notices = useNotices();
  const feed = worstOf([agents.feed, overview.feed, plans.feed, notices.feed]);
  return (
    <footer className={`col-span-2 flex h-7 items-center gap-4 border-t px-4 text-[12px] ${LOOKS[feed.state]}`}>
      <div role="status" className="min-w-0 truncate">
        <Words feed={feed} />
      </div>
      <span className="ml-auto flex gap-4 whitespace-nowrap text-faint max-md:hidden">
        <span>
          revision <Code>{agents.revision}</Code>
        </span>
        {notices.position !== null && (
          <span>
            position <Code>{notices.position}</Code>
          </span>
        )}
        <span>
          <kbd className="font-mono">?</kbd> keys
        </span>
      </span>
    </footer>
  );
}

const LOOKS: Record<FeedState['state'], string> = {
  opening: 'border-line text-faint',
  live: 'border-line text-soft',
  interrupted: 'border-warn/40 bg-warn-wash text-warn',
  refused: 'border-bad/40 bg-bad-wash text-bad',
};

function Words({ feed }: { readonly feed: FeedState }) {
  switch (feed.state) {
    case 'opening':
      return <span>Connecting…</span>;
    case 'live':
      return (
        <span className="flex items-center gap-1.5">
          <span className="size-1.5 rounded-full bg-good" aria-hidden="true" />
          Live
        </span>
      );
    case 'interrupted':
      return (
        <span className="min-w-0 truncate">
          As of <At time={feed.sinceMs} />, reconnecting: {feed.reason}
        </span>
      );
    case 'refused':
      return <span className="min-w-0 truncate">The core refused a live view: {feed.reason}</span>;
  }
}
