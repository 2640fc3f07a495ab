// The frame of every act: the button that opens it, and the dialog in which it is described and done.
import { Dialog } from 'radix-ui';
import { type ReactElement, type ReactNode, useState } from 'react';
import { useOfferedAct } from './offered-acts.ts';

interface ActDialogProps {
  /** What is done, to what. */
  readonly title: string;
  readonly trigger: ReactElement;
  readonly isWide?: boolean;
  readonly children: (close: () => void) => ReactNode;
}

export function ActDialog({ title, trigger, isWide = false, children }: ActDialogProps) {
  const [isOpen, setOpen] = useState(false);
  useOfferedAct(title, () => setOpen(true));
  return (
    <Dialog.Root open={isOpen} onOpenChange={setOpen}>
      <Dialog.Trigger asChild>{trigger}</Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-20 bg-black/40" />
        <Dialog.Content
          aria-describedby={undefined}
          className={`fixed top-[12vh] left-1/2 z-30 max-h-[80vh] -translate-x-1/2 overflow-auto rounded-lg border border-line bg-raised p-5 shadow-xl ${isWide ? 'w-[min(56rem,calc(100vw-2rem))]' : 'w-[min(32rem,calc(100vw-2rem))]'}`}
        >
          <Dialog.Title className="mb-3 text-[15px] font-semibold break-words">{title}</Dialog.Title>
          {children(() => setOpen(false))}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
