// Who loses what by a change of the policy.
import { Link } from '@tanstack/react-router';
import type { PolicyEffect } from '@hypercode/contracts';
import { counted } from '../../parts/duration.ts';
import { Tag } from '../../parts/panel.tsx';

export function Effect({ effect: { agents, streams, complete } }: { readonly effect: PolicyEffect }) {
  const losesNothing = agents.total === 0 && streams.total === 0;
  return (
    <div className="flex flex-col gap-2">
      {losesNothing && (
        <p className="text-good">No registered agent loses anything that it declares, and no stream ends.</p>
      )}
      {agents.total > 0 && (
        <div>
          <p className="font-medium text-bad">
            {counted(agents.total, 'agent loses something that it declares', 'agents lose something that they declare')}
          </p>
          <ul className="mt-1 flex max-h-40 flex-col gap-1 overflow-auto">
            {agents.list.map(({ name, role, publish, subscribe, offers }) => (
              <li key={name} className="flex flex-wrap gap-x-2 gap-y-1">
                <Link to="/agents/$name" params={{ name }} className="font-medium hover:underline">
                  {name}
                </Link>
                <span className="text-faint">{role}</span>
                <Lost what="publish" patterns={publish} />
                <Lost what="subscribe" patterns={subscribe} />
                <Lost what="offers" patterns={offers} />
              </li>
            ))}
          </ul>
          <More total={agents.total} listed={agents.list.length} />
        </div>
      )}
      {streams.total > 0 && (
        <div>
          <p className="font-medium text-bad">{counted(streams.total, 'open stream ends', 'open streams end')}</p>
          <ul className="mt-1 flex max-h-40 flex-col gap-1 overflow-auto">
            {streams.list.map(({ name, role, kind, topics, group }, index) => (
              <li key={`${name} ${index}`} className="flex flex-wrap gap-x-2">
                <span className="font-medium">{name}</span>
                <span className="text-faint">{role}</span>
                <Lost what={kind} patterns={group === null ? topics : [group]} />
              </li>
            ))}
          </ul>
          <More total={streams.total} listed={streams.list.length} />
        </div>
      )}
      {!complete && <p className="text-warn">The namespace has more agents than were checked.</p>}
    </div>
  );
}

function Lost({ what, patterns }: { readonly what: string; readonly patterns: readonly string[] }) {
  if (patterns.length === 0) return null;
  return (
    <span className="inline-flex flex-wrap items-center gap-1">
      <span className="text-faint">{what}</span>
      {patterns.map((pattern) => (
        <Tag key={pattern}>{pattern}</Tag>
      ))}
    </span>
  );
}

const More = ({ total, listed }: { readonly total: number; readonly listed: number }) =>
  total > listed ? <p className="text-faint">and {counted(total - listed, 'more', 'more')}</p> : null;
