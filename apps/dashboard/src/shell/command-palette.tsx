// The command palette: screens, agents, groups, plans, topics, and the acts that the screen offers.
import { useNavigate } from '@tanstack/react-router';
import { Command } from 'cmdk';
import { Dialog } from 'radix-ui';
import { useMemo, useState } from 'react';
import { offeredActs } from '../parts/offered-acts.ts';
import { shown } from '../parts/agent-words.ts';
import { signOut } from '../session/session.ts';
import { useStore } from '../swarm/store.ts';
import { useAgents, useClient, useOverview, usePlans } from '../swarm/swarm-context.tsx';
import { useReading } from '../swarm/use-reading.ts';
import { ranked } from './palette-rank.ts';
import { SCREENS } from './screens.ts';
import { choose } from './theme.ts';

interface PaletteProps {
  readonly isOpen: boolean;
  readonly setOpen: (isOpen: boolean) => void;
  /** Shows the keys. */
  readonly showKeys: () => void;
}

export function CommandPalette({ isOpen, setOpen, showKeys }: PaletteProps) {
  return (
    <Dialog.Root open={isOpen} onOpenChange={setOpen}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-black/40" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed top-[12vh] left-1/2 z-50 w-[min(38rem,calc(100vw-2rem))] -translate-x-1/2 overflow-hidden rounded-lg border border-line bg-raised shadow-xl"
        >
          <Dialog.Title className="sr-only">Go to, or do</Dialog.Title>
          <Palette close={() => setOpen(false)} showKeys={showKeys} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

interface Entry {
  readonly id: string;
  readonly name: string;
  /** Beside the name, and searched, too. */
  readonly note: string;
  readonly run: () => void;
}

interface Group {
  readonly title: string;
  readonly entries: readonly Entry[];
  /** Whether it is shown before something is typed. */
  readonly isListed: boolean;
}

const MOST_OF_A_GROUP = 8;

function Palette({ close, showKeys }: { readonly close: () => void; readonly showKeys: () => void }) {
  const [typed, setTyped] = useState('');
  const groups = useEntries(showKeys);
  const found = useMemo(
    () =>
      groups
        .filter(({ isListed }) => isListed || typed.trim() !== '')
        .map(({ title, entries }) => ({ title, entries: ranked(entries, typed, MOST_OF_A_GROUP) }))
        .filter(({ entries }) => entries.length > 0),
    [groups, typed],
  );
  return (
    <Command label="Go to, or do" shouldFilter={false} loop>
      <Command.Input
        autoFocus
        value={typed}
        onValueChange={setTyped}
        placeholder="Go to a screen, agent, group, plan or topic, or do something"
        className="h-11 w-full border-b border-line bg-transparent px-4 text-[14px] outline-none placeholder:text-faint"
      />
      <Command.List className="max-h-[min(24rem,60vh)] overflow-auto p-1.5">
        <Command.Empty className="px-3 py-6 text-center text-soft">Nothing has these words.</Command.Empty>
        {found.map(({ title, entries }) => (
          <Command.Group
            key={title}
            heading={title}
            className="[&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-[11px] [&_[cmdk-group-heading]]:text-faint"
          >
            {entries.map(({ id, name, note, run }) => (
              <Command.Item
                key={id}
                value={`${title} ${id}`}
                className="flex h-8 cursor-pointer items-center gap-3 rounded px-2.5 data-[selected=true]:bg-accent-wash"
                onSelect={() => {
                  close();
                  run();
                }}
              >
                <span className="min-w-0 truncate">{shown(name)}</span>
                <span className="ml-auto min-w-0 truncate text-faint">{shown(note)}</span>
              </Command.Item>
            ))}
          </Command.Group>
        ))}
      </Command.List>
    </Command>
  );
}

function useEntries(showKeys: () => void): readonly Group[] {
  const navigate = useNavigate();
  const client = useClient();
  // As they were when it was opened: it is open for seconds, and agents change many times in one.
  const { agents: current } = useAgents();
  const [agents] = useState(current);
  const { plans } = usePlans();
  const { overview } = useOverview();
  const acts = useStore(offeredActs);
  const topics = useReading('topics', (signal) => client.bus.topics({}, { signal })).value?.topics;
  return useMemo(() => {
    const go = (to: string, search: object = {}): void =>
      void navigate({ to, search: ({ ns }: { ns?: string }) => ({ ns, ...search }) } as never);
    return [
      {
        title: 'Do here',
        isListed: true,
        entries: acts.map(({ title, open }, index) => ({ id: String(index), name: title, note: '', run: open })),
      },
      {
        title: 'Go to',
        isListed: true,
        entries: SCREENS.map(({ to, name, key }) => ({ id: to, name, note: `g ${key}`, run: () => go(to) })),
      },
      {
        title: 'Agents',
        isListed: false,
        entries: agents.map(({ name, role, status }) => ({
          id: name,
          name,
          note: `${role}, ${status.health}`,
          run: () => go(`/agents/${name}`),
        })),
      },
      {
        title: 'Groups',
        isListed: false,
        entries: (overview?.groups ?? []).map(({ group, paused }) => ({
          id: group,
          name: group,
          note: paused === null ? '' : 'paused',
          run: () => go(`/groups/${group}`),
        })),
      },
      {
        title: 'Plans',
        isListed: false,
        entries: plans.map(({ planId, title, status }) => ({
          id: planId,
          name: title,
          note: status,
          run: () => go(`/plans/${planId}`),
        })),
      },
      {
        title: 'Topics',
        isListed: false,
        entries: (topics ?? []).map(({ topic }) => ({
          id: topic,
          name: topic,
          note: 'its events',
          run: () => go('/events', { topic }),
        })),
      },
      {
        title: 'This page',
        isListed: true,
        entries: [
          { id: 'keys', name: 'Show the keys', note: '?', run: showKeys },
          { id: 'light', name: 'Appearance: light', note: '', run: () => choose({ theme: 'light' }) },
          { id: 'dark', name: 'Appearance: dark', note: '', run: () => choose({ theme: 'dark' }) },
          { id: 'system', name: 'Appearance: as the system', note: '', run: () => choose({ theme: 'system' }) },
          { id: 'out', name: 'Sign out', note: '', run: () => void signOut() },
        ],
      },
    ];
  }, [navigate, agents, plans, overview, acts, topics, showKeys]);
}
