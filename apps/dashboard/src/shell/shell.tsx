// The frame around every screen: navigation, the state of the live view, and who is signed in.
import { Link, Outlet, useRouteContext, useSearch } from '@tanstack/react-router';
import { LogOut, Search } from 'lucide-react';
import { lazy, Suspense, useCallback } from 'react';
import { useFindings } from '../screens/needs-you/use-findings.ts';
import { signOut } from '../session/session.ts';
import { SwarmProvider, useCaller } from '../swarm/swarm-context.tsx';
import { AppearanceMenu } from './appearance-menu.tsx';
import { KeyHelp, PALETTE_KEYS, useKeys } from './keys.tsx';
import { Mark } from './mark.tsx';
import { NamespaceField } from './namespace-field.tsx';
import { SCREENS } from './screens.ts';
import { StatusLine } from './status-line.tsx';

/** Comes when it is first wanted. */
const CommandPalette = lazy(async () => ({ default: (await import('./command-palette.tsx')).CommandPalette }));

export function Shell() {
  const { ns } = useSearch({ from: '__root__' });
  const { sessionKey } = useRouteContext({ from: '__root__' });
  return (
    <SwarmProvider namespace={ns ?? 'default'} sessionKey={sessionKey}>
      <Frame />
    </SwarmProvider>
  );
}

function Frame() {
  const { help, palette } = useKeys();
  const showKeys = useCallback(() => help.setOpen(true), []);
  return (
    <div className="grid h-full grid-cols-[13rem_1fr] grid-rows-[1fr_auto] max-md:grid-cols-[3.25rem_1fr]">
      <a href="#screen" className="sr-only focus:not-sr-only focus:absolute focus:z-40 focus:bg-raised focus:p-2">
        Skip to the screen
      </a>
      <nav aria-label="Screens" className="flex flex-col gap-4 border-r border-line px-2.5 py-3">
        <div className="flex items-center gap-2 px-1.5">
          <Mark className="size-5 shrink-0 text-accent" />
          <span className="font-semibold tracking-tight max-md:hidden">HyperCode Swarm</span>
        </div>
        <div className="flex flex-col gap-1.5">
          <NamespaceField />
          <PaletteButton open={() => palette.setOpen(true)} />
        </div>
        <ul className="flex flex-col gap-px">
          {SCREENS.map(({ to, name, icon: Icon }) => (
            <li key={to}>
              <Link
                to={to}
                className="flex h-8 items-center gap-2.5 rounded px-2 text-soft hover:bg-line/50 hover:text-ink"
                activeProps={{ className: 'bg-raised !text-ink font-medium shadow-[inset_2px_0_0_var(--accent)]' }}
              >
                <Icon className="size-4 shrink-0" aria-hidden="true" />
                <span className="max-md:sr-only">{name}</span>
                {to === '/needs-you' && <FindingCount />}
              </Link>
            </li>
          ))}
        </ul>
        <div className="mt-auto flex flex-col gap-1">
          <AppearanceMenu />
          <Caller />
        </div>
      </nav>
      <main id="screen" className="min-h-0 min-w-0 overflow-auto bg-sheet">
        <Outlet />
      </main>
      <StatusLine />
      <KeyHelp {...help} />
      {palette.isOpen && (
        <Suspense>
          <CommandPalette {...palette} showKeys={showKeys} />
        </Suspense>
      )}
    </div>
  );
}

const PaletteButton = ({ open }: { readonly open: () => void }) => (
  <button
    type="button"
    className="flex h-8 items-center gap-2 rounded border border-line bg-sheet px-2 text-faint hover:border-strong-line hover:text-ink"
    onClick={open}
  >
    <Search className="size-3.5 shrink-0" aria-hidden="true" />
    <span className="flex-1 text-left max-md:sr-only">Go to…</span>
    <kbd aria-hidden="true" className="font-mono text-[11px] max-md:hidden">
      {PALETTE_KEYS}
    </kbd>
  </button>
);

function FindingCount() {
  const { findings } = useFindings();
  if (findings.length === 0) return null;
  const isBad = findings.some(({ rank }) => rank === 'bad');
  return (
    <span
      className={`ml-auto rounded-full px-1.5 text-[11px] leading-[18px] font-semibold max-md:hidden ${isBad ? 'bg-bad-wash text-bad' : 'bg-warn-wash text-warn'}`}
    >
      {findings.length}
    </span>
  );
}

function Caller() {
  const caller = useCaller();
  return (
    <div className="flex items-center gap-1 px-2 text-faint">
      <span className="min-w-0 flex-1 truncate max-md:hidden" title={caller?.name}>
        {caller === null ? '…' : caller.kind}
      </span>
      <button
        type="button"
        aria-label="Sign out"
        title="Sign out"
        className="rounded p-1 hover:bg-line/60 hover:text-ink"
        onClick={() => void signOut()}
      >
        <LogOut className="size-4" aria-hidden="true" />
      </button>
    </div>
  );
}
