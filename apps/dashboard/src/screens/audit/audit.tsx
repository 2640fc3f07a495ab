// What operators and admins did, newest first, each act with what it changed.
import { useNavigate, useSearch } from '@tanstack/react-router';
import { procedures } from '@hypercode/contracts';
import { useCallback, useMemo } from 'react';
import { At } from '../../parts/age.tsx';
import { shown } from '../../parts/agent-words.ts';
import { Button } from '../../parts/button.tsx';
import { counted } from '../../parts/duration.ts';
import { Choice, SearchField } from '../../parts/fields.tsx';
import { Forbidden } from '../../parts/forbidden.tsx';
import { Empty, ScreenHead } from '../../parts/panel.tsx';
import { ReadAt, Refused } from '../../parts/read-at.tsx';
import { Refusal } from '../../parts/refusal.tsx';
import { Cell, Head, Rows } from '../../parts/rows.tsx';
import { useCaller, useClient, useMay, useOfNow } from '../../swarm/swarm-context.tsx';
import { type AuditAct, type AuditFilterSearch, actsOf } from './audit-acts.ts';
import { AuditDetail } from './audit-detail.tsx';
import { ActStateMark } from './audit-marks.tsx';
import { useAuditTrail } from './audit-trail.ts';
import { VerifyAudit } from './verify-audit.tsx';

const COLUMNS = '8rem minmax(9rem,1fr) 10rem minmax(9rem,1.4fr) 8rem minmax(8rem,1.6fr)';
/** Beside an act that is shown, which has the reason. */
const FEW_COLUMNS = '6.5rem minmax(4rem,.7fr) 8.5rem minmax(5rem,1fr) 7rem';
/** How often time alone changes what an act is called, in milliseconds. */
const STEP_MS = 30_000;

export function Audit() {
  const caller = useCaller();
  const mayList = useMay('audit.list');
  if (caller === null) return <ScreenHead title="Audit" count="reading…" />;
  if (mayList) return <AuditList />;
  return (
    <>
      <ScreenHead title="Audit" />
      <Forbidden what="The records" cli={['audit', 'ls']} />
    </>
  );
}

function AuditList() {
  const { ns: _, seq, ...filter } = useSearch({ from: '/audit' });
  const client = useClient();
  const navigate = useNavigate({ from: '/audit' });
  const { reading, entries, readOlder, olderError } = useAuditTrail(client, filter);
  const now = useOfNow((at) => Math.floor(at / STEP_MS)) * STEP_MS;
  const acts = useMemo(() => actsOf(entries, now), [entries.length, reading.readAtMs, now]);
  const selected = acts.find((act) => act.seq === seq);
  const set = useCallback(
    (change: AuditFilterSearch) => {
      void navigate({ search: (before) => ({ ...before, ...change }), replace: true });
    },
    [navigate],
  );
  const setActor = useCallback((text: string) => set({ actor: text === '' ? undefined : text, seq: undefined }), [set]);
  const isFiltered = filter.actor !== undefined || filter.action !== undefined;
  const count =
    reading.value === null ? 'reading…' : `${counted(acts.length, 'act')}${readOlder === null ? '' : ', the newest'}`;
  return (
    <div className="flex h-full flex-col">
      <ScreenHead title="Audit" count={count}>
        <ReadAt reading={reading} />
        <SearchField label="Actor" value={filter.actor ?? ''} onChange={setActor} />
        <Choice
          label="action"
          value={filter.action}
          values={ACTIONS}
          onChange={(action) => set({ action, seq: undefined })}
        />
        <VerifyAudit />
      </ScreenHead>
      {reading.error !== null && (
        <div className="px-5 py-3">
          <Refused reading={reading} />
        </div>
      )}
      <div
        className={`grid min-h-0 flex-1 ${selected === undefined ? '' : 'grid-cols-[minmax(0,1fr)_28rem] max-lg:grid-cols-1 max-lg:grid-rows-[1fr_1fr]'}`}
      >
        <div className="flex min-h-0 flex-col">
          {acts.length > 0 && (
            <Rows
              label="Acts"
              items={acts}
              keyOf={(act) => String(act.seq)}
              columns={selected === undefined ? COLUMNS : FEW_COLUMNS}
              onOpen={(act) => set({ seq: act.seq })}
              head={
                <>
                  <Head>At</Head>
                  <Head>Actor</Head>
                  <Head>Action</Head>
                  <Head>On</Head>
                  <Head>Outcome</Head>
                  {selected === undefined && <Head>Reason</Head>}
                </>
              }
              row={(act) => (
                <ActRow
                  act={act}
                  isSelected={act.seq === seq}
                  hasReason={selected === undefined}
                  onSelect={() => set({ seq: act.seq })}
                />
              )}
            />
          )}
          {acts.length === 0 && reading.value !== null && (
            <Empty title={isFiltered ? 'No act matches these filters.' : 'Nothing was done yet.'}>
              {isFiltered ? (
                <Button onClick={() => void navigate({ search: ({ ns }) => ({ ns }), replace: true })}>
                  Clear the filters
                </Button>
              ) : (
                'Every act of an operator or an admin that changes something but events is recorded here before it is done.'
              )}
            </Empty>
          )}
          {(readOlder !== null || olderError !== null) && (
            <footer className="flex min-h-9 items-center gap-3 border-t border-line px-5 py-1">
              <Refusal error={olderError} />
              {readOlder !== null && (
                <Button kind="quiet" className="ml-auto" onClick={readOlder}>
                  Read older acts
                </Button>
              )}
            </footer>
          )}
        </div>
        {selected !== undefined && <AuditDetail act={selected} onClose={() => set({ seq: undefined })} />}
      </div>
    </div>
  );
}

/** The procedures that are recorded, as the API declares them. */
const ACTIONS: readonly string[] = procedures
  .filter(([, procedure]) => procedure.kind === 'mutation' && procedure.audited === true)
  .map(([name]) => name)
  .toSorted();

interface ActRowProps {
  readonly act: AuditAct;
  readonly isSelected: boolean;
  readonly hasReason: boolean;
  readonly onSelect: () => void;
}

function ActRow({ act, isSelected, hasReason, onSelect }: ActRowProps) {
  const { at, actor, action, target, reason } = act.entry;
  return (
    <>
      <Cell className="text-faint">
        <At time={at} />
      </Cell>
      <Cell className="text-soft">{shown(actor.replace(/^\/operators\//, ''))}</Cell>
      <Cell>
        <button
          type="button"
          tabIndex={-1}
          aria-pressed={isSelected}
          className={`hover:underline ${isSelected ? 'font-semibold text-accent' : 'font-medium'}`}
          onClick={onSelect}
        >
          {action}
        </button>
      </Cell>
      <Cell className="text-soft">{shown(target)}</Cell>
      <Cell>
        <ActStateMark act={act} />
      </Cell>
      {hasReason && <Cell className="text-soft">{reason === null ? '' : shown(reason)}</Cell>}
    </>
  );
}
