// The inside of an act's dialog: what it will do, its line of the command line, a reason, and what came of it.
import { SwarmError } from '@hypercode/contracts';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { Button } from './button.tsx';
import { CliLine } from './cli-line.tsx';
import { Refusal } from './refusal.tsx';

/** Of an act that takes a while. */
interface ActProgress {
  /** Shows how far it is. */
  readonly report: (words: string) => void;
  /** Aborted when a person closes the dialog. */
  readonly signal: AbortSignal;
}

export interface ActFormProps {
  /** On the button that does it. */
  readonly verb: string;
  /** After `swarm`, without the reason. */
  readonly cli: readonly string[];
  /** Whether a reason may be given, which goes into the audit. */
  readonly asksReason?: boolean;
  readonly isDangerous?: boolean;
  /** False while something that the act needs is missing. */
  readonly isReady?: boolean;
  /** No line of the command line does the same. */
  readonly hasNoCli?: boolean;
  readonly act: (reason: string | undefined, progress: ActProgress) => Promise<unknown>;
  readonly onDone?: (() => void) | undefined;
  /** Closes the dialog, when the act is done or not wanted. */
  readonly close: () => void;
  /** In place of `close` when the act is not wanted, where the dialog stays open after it. */
  readonly onCancel?: (() => void) | undefined;
  /** What will happen, and the fields of the act. */
  readonly children: ReactNode;
}

export function ActForm({
  verb,
  cli,
  asksReason = false,
  isDangerous = false,
  isReady = true,
  hasNoCli = false,
  act,
  onDone,
  close,
  onCancel = close,
  children,
}: ActFormProps) {
  const [reason, setReason] = useState('');
  const [isActing, setActing] = useState(false);
  const [refusal, setRefusal] = useState<SwarmError | null>(null);
  const [progress, setProgress] = useState<string | null>(null);
  const end = useRef<AbortController>(null);
  useEffect(() => () => end.current?.abort(), []);
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
      {children}
      {asksReason && (
        <Field label="Reason, for the audit">
          <input
            className={FIELD}
            value={reason}
            maxLength={1024}
            onChange={(event) => setReason(event.target.value)}
          />
        </Field>
      )}
      {!hasNoCli && <CliLine words={given === undefined ? cli : [...cli, '--reason', given]} />}
      {progress !== null && <p role="status">{progress}</p>}
      <Refusal error={refusal} />
      <div className="flex justify-end gap-2">
        <Button kind="quiet" onClick={onCancel}>
          {isActing && progress !== null ? 'Stop' : 'Cancel'}
        </Button>
        <Button kind={isDangerous ? 'danger' : 'main'} type="submit" disabled={isActing || !isReady}>
          {isActing ? 'Working…' : verb}
        </Button>
      </div>
    </form>
  );
}

/** How a field of text looks in a form. */
export const FIELD = 'h-8 min-w-0 rounded border border-strong-line/50 bg-sheet px-2 placeholder:text-faint';

export const Field = ({ label, children }: { readonly label: string; readonly children: ReactNode }) => (
  <label className="flex min-w-0 flex-col gap-1">
    <span className="text-faint">{label}</span>
    {children}
  </label>
);
