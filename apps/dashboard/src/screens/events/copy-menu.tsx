// "Copy as": an event as a command or a program that publishes it again.
import { Dialog } from 'radix-ui';
import type { SwarmEvent } from '@hypercode/contracts';
import { systemClock } from '@hypercode/clock';
import { useState } from 'react';
import { Button } from '../../parts/button.tsx';
import { Tabs } from '../../parts/tabs.tsx';
import { type CopyKind, copyOf } from './copy-event.ts';

const NAMES: Record<CopyKind, string> = { curl: 'curl', cli: 'CLI', typescript: 'TypeScript', python: 'Python' };
/** Longest text that is drawn, in characters. All of it is copied. */
const SHOWN_LENGTH = 4_000;

export function CopyAs({ event }: { readonly event: SwarmEvent }) {
  return (
    <Dialog.Root>
      <Dialog.Trigger asChild>
        <Button>Copy as…</Button>
      </Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-20 bg-black/40" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed top-[12vh] left-1/2 z-30 flex max-h-[76vh] w-[min(46rem,calc(100vw-2rem))] -translate-x-1/2 flex-col gap-3 rounded-lg border border-line bg-raised p-5 shadow-xl"
        >
          <Dialog.Title className="text-[15px] font-semibold">Publish this event again from elsewhere</Dialog.Title>
          <Copies event={event} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Copies({ event }: { readonly event: SwarmEvent }) {
  const [kind, setKind] = useState<CopyKind>('curl');
  const [isCopied, setCopied] = useState(false);
  const text = copyOf(kind, event, { url: location.origin, namespace: event.namespace });
  const copy = (): void => {
    void navigator.clipboard.writeText(text).then(() => {
      setCopied(true);
      systemClock.schedule(1500, () => setCopied(false));
    });
  };
  return (
    <>
      <div className="flex items-center justify-between gap-3">
        <Tabs label="Form" value={kind} values={NAMES} onChange={setKind} />
        <Button kind="main" onClick={copy}>
          {isCopied ? 'Copied' : 'Copy'}
        </Button>
      </div>
      <pre
        aria-label={NAMES[kind]}
        tabIndex={0}
        className="min-h-24 overflow-auto rounded border border-line bg-ground p-2.5 font-mono text-[12px] leading-[18px] break-all whitespace-pre-wrap"
      >
        {text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}\n…` : text}
      </pre>
      <p className="text-faint">
        It takes the token from <code className="font-mono text-[12px]">$SWARM_TOKEN</code>, and the core gives the
        event a new id. The data is JSON of printable characters on stdin: a shell finds nothing in it to run.
      </p>
    </>
  );
}
