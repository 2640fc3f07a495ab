// How old something is that was read once, and the way to read it again.
import type { Reading } from '../swarm/use-reading.ts';
import { Age } from './age.tsx';
import { Button } from './button.tsx';

export function ReadAt({ reading }: { readonly reading: Reading<unknown> }) {
  return (
    <span className="inline-flex items-center gap-2 text-faint">
      {reading.readAtMs !== null && (
        <span>
          read <Age at={reading.readAtMs} />
        </span>
      )}
      <Button kind="quiet" onClick={reading.again}>
        Read again
      </Button>
    </span>
  );
}

/** What the core said in place of a value. */
export function Refused({ reading }: { readonly reading: Reading<unknown> }) {
  if (reading.error === null) return null;
  return (
    <p role="alert" className="rounded bg-bad-wash px-3 py-2 text-bad">
      {reading.error.message} <span className="font-mono text-[11px]">{reading.error.code}</span>
    </p>
  );
}
