// What one sender sent to one reader: by topic, each leading to its events.
import { Link } from '@tanstack/react-router';
import { X } from 'lucide-react';
import { shown } from '../../parts/agent-words.ts';
import { countText, counted } from '../../parts/duration.ts';
import { PartyLink } from './party.tsx';
import type { Talk } from './talks.ts';

export function TalkDetail({ talk, onClose }: { readonly talk: Talk; readonly onClose: () => void }) {
  const { from, to, count, topics } = talk;
  return (
    <aside
      aria-label="Selected"
      className="flex w-80 shrink-0 flex-col overflow-auto border-l border-line bg-ground/40 max-lg:max-h-60 max-lg:w-full max-lg:border-t max-lg:border-l-0"
    >
      <header className="flex items-start gap-2 px-4 pt-3 pb-2">
        <h2 className="flex min-w-0 flex-1 flex-col">
          <PartyLink party={from} />
          <span className="flex min-w-0 items-center gap-1.5">
            <span className="text-faint">to</span>
            <PartyLink party={to} />
          </span>
        </h2>
        <button type="button" aria-label="Close" onClick={onClose} className="rounded p-1 text-faint hover:text-ink">
          <X className="size-4" aria-hidden="true" />
        </button>
      </header>
      <p className="px-4 pb-2 text-faint">
        {counted(count, 'event')} on {counted(topics.length, 'topic')}
      </p>
      <ul className="border-t border-line">
        {topics.map(({ topic, count: of, source }) => (
          <li key={topic} className="border-b border-line/60">
            <Link
              to="/events"
              search={{ topic, source }}
              className="flex items-baseline gap-3 px-4 py-1.5 hover:bg-accent-wash/60"
            >
              <span className="min-w-0 flex-1 font-mono text-[12px] break-all">{shown(topic)}</span>
              <span className="text-soft">{countText(of)}</span>
            </Link>
          </li>
        ))}
      </ul>
    </aside>
  );
}
