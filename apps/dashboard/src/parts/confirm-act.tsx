// What every act goes through: what it will do, its line of the command line, a reason, and what came of it.
import { SwarmError } from '@hypercode/contracts';
import { Dialog } from 'radix-ui';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { Button } from './button.tsx';
import { CliLine } from './cli-line.tsx';

/** Of an act that takes a while. */
interface ActProgress {
  /** Shows how far it is. */
  readonly report: (words: string) => void;
  /** Aborted when a person closes the dialog. */
  readonly signal: AbortSignal;
}

interface ConfirmActProps {
  /** On the button that opens it, and on the one that does it. */
  readonly verb: string;
  readonly title: string;
  /** What will happen. */
  readonly children: ReactNode;
  /** After `swarm`, without the reason. */
  readonly cli: readonly string[];
  /** Whether a reason may be given, which goes into the audit. */
  readonly asksReason?: boolean;
  readonly isDangerous?: boolean;
  readonly act: (reason: string | undefined, progress: ActProgress) => Promise<unknown>;
  /** No line of the command line does the same. */
  readonly hasNoCli?: boolean;
  readonly onDone?: () => void;
}

export function ConfirmAct(props: ConfirmActProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <Dialog.Root open={isOpen} onOpenChange={setOpen}>
      <Dialog.Trigger asChild>
        <Button kind={props.isDangerous === true ? 'danger' : 'plain'}>{props.verb}</Button>
      </Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-20 bg-black/40" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed top-[18vh] left-1/2 z-30 max-h-[76vh] w-[min(30rem,calc(100vw-2rem))] -translate-x-1/2 overflow-auto rounded-lg border border-line bg-raised p-5 shadow-xl"
        >
          <Form {...props} close={() => setOpen(false)} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Form(props: FormProps) {
  const { verb, title, children, cli, asksReason = false, isDangerous = false, hasNoCli = false } = props;
  const { act, onDone, close } = props;
  const [progress, setProgress] = useState<string | null>(null);
  const end = useRef<AbortController>(null);
  useEffect(() => () => end.current?.abort(), []);
  const [reason, setReason] = useState('');
  const [isActing, setActing] = useState(false);
  const [refusal, setRefusal] = useState<SwarmError | null>(null);
  const given = reason.trim() === '' ? undefined : reason.trim();
  const submit = async (): Promise<void> => {
    const { signal } = (end.current = new AbortController());
    setActing(true);
    setRefusal(null);
    try {
      await act(given, { report: setProgress, signal });
      close();
      onDone?.();
    } catch (error) {
      setRefusal(SwarmError.from(error));
    } finally {
      setActing(false);
    }
  };
  return (
    <form
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <Dialog.Title className="text-[15px] font-semibold">{title}</Dialog.Title>
      <div className="text-soft">{children}</div>
      {asksReason && (
        <label className="flex flex-col gap-1">
          <span className="text-faint">Reason, for the audit</span>
          <input
            className="h-8 rounded border border-strong-line/50 bg-sheet px-2"
            value={reason}
            maxLength={1024}
            onChange={(event) => setReason(event.target.value)}
          />
        </label>
      )}
      {!hasNoCli && <CliLine words={given === undefined ? cli : [...cli, '--reason', given]} />}
      {progress !== null && <p role="status">{progress}</p>}
      {refusal !== null && (
        <p role="alert" className="rounded bg-bad-wash px-2.5 py-1.5 text-bad">
          {refusal.message} <span className="font-mono text-[11px]">{refusal.code}</span>
        </p>
      )}
      <div className="flex justify-end gap-2">
        <Button kind="quiet" onClick={close}>
          {isActing && progress !== null ? 'Stop' : 'Cancel'}
        </Button>
        <Button kind={isDangerous ? 'danger' : 'main'} type="submit" disabled={isActing}>
          {isActing ? 'Working…' : verb}
        </Button>
      </div>
    </form>
  );
}

interface FormProps extends ConfirmActProps {
  readonly close: () => void;
}
