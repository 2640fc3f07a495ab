// The check of the chain of hashes, computed anew in the browser from all entries.
import type { SwarmClient } from '@hypercode/client';
import { type AuditEntry, SwarmError, type VerifiedAudit, verifyAudit } from '@hypercode/contracts';
import { Dialog } from 'radix-ui';
import { useEffect, useRef, useState } from 'react';
import { ActDialog } from '../../parts/act-dialog.tsx';
import { FIELD, Field } from '../../parts/act-form.tsx';
import { Button } from '../../parts/button.tsx';
import { CliLine } from '../../parts/cli-line.tsx';
import { CopyButton } from '../../parts/copy-button.tsx';
import { counted } from '../../parts/duration.ts';
import { Code } from '../../parts/panel.tsx';
import { Refusal } from '../../parts/refusal.tsx';
import { useClient } from '../../swarm/swarm-context.tsx';

export const VerifyAudit = () => (
  <ActDialog title="Verify the chain of the audit" trigger={<Button>Verify the chain</Button>}>
    {() => <Verify />}
  </ActDialog>
);

type Check =
  | { readonly state: 'idle' }
  | { readonly state: 'reading'; readonly count: number }
  | { readonly state: 'checked'; readonly result: VerifiedAudit }
  | { readonly state: 'failed'; readonly error: SwarmError };

const PAGE = 100;

function Verify() {
  const client = useClient();
  const [head, setHead] = useState('');
  const [check, setCheck] = useState<Check>({ state: 'idle' });
  const end = useRef<AbortController | null>(null);
  useEffect(() => () => end.current?.abort(), []);
  const noted = head.trim();
  const start = async (): Promise<void> => {
    end.current?.abort();
    const { signal } = (end.current = new AbortController());
    setCheck({ state: 'reading', count: 0 });
    try {
      const entries = allEntries(client, { signal, onPage: (count) => setCheck({ state: 'reading', count }) });
      const result = await verifyAudit(entries, noted === '' ? {} : { head: noted });
      if (!signal.aborted) setCheck({ state: 'checked', result });
    } catch (error) {
      if (!signal.aborted) setCheck({ state: 'failed', error: SwarmError.from(error) });
    }
  };
  if (!isSecureContext) {
    return (
      <div className="flex flex-col gap-3">
        <p className="text-soft">This browser computes hashes over https and on a loopback address alone.</p>
        <CliLine words={['audit', 'verify']} />
      </div>
    );
  }
  return (
    <form
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        void start();
      }}
    >
      <p className="text-soft">
        Reads all entries of the namespace and computes their chain of hashes anew, here in the browser. A hash that was
        noted earlier shows that nothing up to it was changed.
      </p>
      <Field label="A hash that was noted earlier, for example from the log of a core (may be left empty)">
        <input
          className={`${FIELD} font-mono text-[12px]`}
          value={head}
          maxLength={64}
          spellCheck={false}
          onChange={(event) => setHead(event.target.value)}
        />
      </Field>
      <CliLine words={noted === '' ? ['audit', 'verify'] : ['audit', 'verify', '--head', noted]} />
      <div role="status">
        {check.state === 'reading' && (
          <p className="text-faint">Checking… {counted(check.count, 'entry', 'entries')}</p>
        )}
        {check.state === 'checked' && <Outcome result={check.result} />}
      </div>
      {check.state === 'failed' && <Refusal error={check.error} />}
      <div className="flex justify-end gap-2">
        <Dialog.Close asChild>
          <Button kind="quiet">Close</Button>
        </Dialog.Close>
        <Button kind="main" type="submit" disabled={check.state === 'reading'}>
          Verify
        </Button>
      </div>
    </form>
  );
}

function Outcome({ result: { fault, entries, first, head } }: { readonly result: VerifiedAudit }) {
  if (fault !== null) {
    return (
      <p className="rounded bg-bad-wash px-3 py-2 font-medium text-bad">
        Not as it was written:{' '}
        {fault.seq === null
          ? 'no entry has the hash that was given.'
          : `entry ${fault.seq} ${fault.fault === 'missing' ? 'is missing' : 'was changed'}.`}
      </p>
    );
  }
  if (head === null)
    return <p className="text-soft">Nothing was done in this namespace yet: there is nothing to check.</p>;
  return (
    <div className="flex flex-col gap-1.5">
      <p className="font-medium text-good">
        As it was written: {counted(entries, 'entry', 'entries')}, {first} to {head.seq}.
      </p>
      <p className="text-soft">Keep the newest hash outside of the core: the next check compares with it.</p>
      <div className="flex items-center gap-2">
        <Code>{head.hash}</Code>
        <CopyButton text={head.hash} />
      </div>
    </div>
  );
}

interface AllEntriesOptions {
  readonly signal: AbortSignal;
  readonly onPage: (count: number) => void;
}

async function* allEntries(client: SwarmClient, { signal, onPage }: AllEntriesOptions): AsyncGenerator<AuditEntry> {
  let count = 0;
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = await client.audit.list({ limit: PAGE, ...(cursor && { cursor }) }, { signal });
    count += page.entries.length;
    onPage(count);
    yield* page.entries;
    cursor = page.nextCursor;
  }
}
