// How old something is that was read once, and the way to read it again.
import type { Reading } from '../swarm/use-reading.ts';
import { Age } from './age.tsx';
import { Button } from './button.tsx';
import { Refusal } from './refusal.tsx';

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
export const Refused = ({ reading }: { readonly reading: Reading<unknown> }) => <Refusal error={reading.error} />;
