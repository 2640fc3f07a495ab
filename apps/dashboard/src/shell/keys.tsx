// Keys that work on every screen, and the list of them.
import { useNavigate } from '@tanstack/react-router';
import { Dialog } from 'radix-ui';
import { useEffect, useState } from 'react';
import { systemClock } from '@hypercode/clock';
import { SCREENS } from './screens.ts';

export interface Opened {
  readonly isOpen: boolean;
  readonly setOpen: (isOpen: boolean) => void;
}

export interface Keys {
  readonly help: Opened;
  readonly palette: Opened;
}

/** How long the second key may follow the first, in milliseconds. */
const SEQUENCE_MS = 1000;

/** On which keys the palette opens: as the system has it. */
export const PALETTE_KEYS = /Mac|iP(?:hone|ad)/.test(navigator.userAgent) ? '⌘ K' : 'Ctrl K';

/** `g` and the key of a screen goes there, `/` goes to the search field, `?` shows the keys, and ⌘K or Ctrl-K opens the palette. */
export function useKeys(): Keys {
  const navigate = useNavigate();
  const [isHelpOpen, setHelpOpen] = useState(false);
  const [isPaletteOpen, setPaletteOpen] = useState(false);
  useEffect(() => {
    let wentAt = -Infinity;
    const press = (event: KeyboardEvent): void => {
      if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        // Over a dialog that is open, it would do something that the dialog does not show.
        if (document.querySelector('[role=dialog]') === null) setPaletteOpen(true);
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (document.querySelector('[role=dialog]') !== null) return;
      if (event.key === '?') setHelpOpen(true);
      else if (event.key === '/') {
        const field = document.querySelector<HTMLInputElement>('input[type=search]');
        if (field === null) return;
        event.preventDefault();
        field.focus();
      } else if (event.key === 'g') wentAt = systemClock.monotonicMs();
      else if (systemClock.monotonicMs() - wentAt < SEQUENCE_MS) {
        const screen = SCREENS.find(({ key }) => key === event.key);
        if (screen !== undefined) void navigate({ to: screen.to });
        wentAt = -Infinity;
      }
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, [navigate]);
  return {
    help: { isOpen: isHelpOpen, setOpen: setHelpOpen },
    palette: { isOpen: isPaletteOpen, setOpen: setPaletteOpen },
  };
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

export function KeyHelp({ isOpen, setOpen }: Opened) {
  const keys: readonly [string, string][] = [
    [PALETTE_KEYS, 'Go anywhere, or do something'],
    ...SCREENS.map(({ name, key }): [string, string] => [`g ${key}`, name]),
    ['/', 'Search in the list'],
    ['↑ ↓', 'Move in a list'],
    ['Enter', 'Open what is selected'],
    ['?', 'These keys'],
  ];
  return (
    <Dialog.Root open={isOpen} onOpenChange={setOpen}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-20 bg-black/40" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed top-[18vh] left-1/2 z-30 w-80 -translate-x-1/2 rounded-lg border border-line bg-raised p-5 shadow-xl"
        >
          <Dialog.Title className="mb-3 text-[15px] font-semibold">Keys</Dialog.Title>
          <dl className="grid grid-cols-[5rem_1fr] gap-y-1.5">
            {keys.map(([key, does]) => (
              <div key={key} className="contents">
                <dt>
                  <kbd className="rounded-sm border border-line bg-ground px-1.5 py-0.5 font-mono text-[12px]">
                    {key}
                  </kbd>
                </dt>
                <dd className="text-soft">{does}</dd>
              </div>
            ))}
          </dl>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
