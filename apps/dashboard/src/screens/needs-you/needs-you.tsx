// The first page: what waits for a person or is wrong, and nothing else.
import { ArrowRight } from 'lucide-react';
import { Age, At } from '../../parts/age.tsx';
import { shown } from '../../parts/agent-words.ts';
import { counted } from '../../parts/duration.ts';
import { Empty, ScreenHead } from '../../parts/panel.tsx';
import { useAgents, useOverview, usePlans } from '../../swarm/swarm-context.tsx';
import type { Finding, Rank } from './findings.ts';
import { Questions } from './questions.tsx';
import { TargetLink } from './target-link.tsx';
import { useFindings } from './use-findings.ts';

export function NeedsYou() {
  const { findings, noticedAtMs, isWhole, wellSinceMs } = useFindings();
  const open = useOverview().overview?.questions.open ?? 0;
  const count =
    open === 0
      ? counted(findings.length, 'finding')
      : `${counted(open, 'question')}, ${counted(findings.length, 'finding')}`;
  return (
    <>
      <ScreenHead title="Needs you" count={isWhole ? count : 'reading…'} />
      <Summary />
      <Questions />
      {findings.length > 0 && (
        <ol className="flex flex-col">
          {findings.map((finding) => (
            <Card key={finding.id} finding={finding} noticedAtMs={noticedAtMs.get(finding.id)} />
          ))}
        </ol>
      )}
      {findings.length === 0 && open === 0 && isWhole && wellSinceMs !== null && (
        <Empty title="Nothing needs you.">
          All is well since <At time={wellSinceMs} />, as far as this page has followed the swarm.
        </Empty>
      )}
    </>
  );
}

/** The swarm in one line. */
function Summary() {
  const { tally } = useAgents();
  const { overview } = useOverview();
  const { plans } = usePlans();
  const running = plans.filter(({ status }) => status === 'running' || status === 'planning').length;
  const groups = overview?.groups ?? [];
  const cores = overview?.cluster.replicas.length ?? 0;
  const lag = groups.reduce((sum, group) => sum + group.lag, 0);
  const figures: readonly [string, string][] = [
    [`${tally.healthy.toLocaleString('en-US')} of ${tally.total.toLocaleString('en-US')}`, 'agents healthy'],
    [running.toLocaleString('en-US'), 'plans running'],
    [groups.length.toLocaleString('en-US'), 'groups'],
    [lag.toLocaleString('en-US'), 'events unread by groups'],
    [(overview?.namespace.events.kept ?? 0).toLocaleString('en-US'), 'events kept'],
    [cores.toLocaleString('en-US'), cores === 1 ? 'core' : 'cores'],
  ];
  return (
    <dl className="flex flex-wrap gap-x-8 gap-y-3 border-b border-line px-5 py-3">
      {figures.map(([value, name]) => (
        <div key={name} className="flex flex-col-reverse">
          <dt className="text-[11px] text-faint">{name}</dt>
          <dd className="text-[17px] leading-6 font-semibold tracking-tight">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

const EDGE: Record<Rank, string> = { bad: 'bg-bad', warn: 'bg-warn', note: 'bg-info' };
const WORD: Record<Rank, { readonly text: string; readonly look: string }> = {
  bad: { text: 'Act now', look: 'text-bad font-medium' },
  warn: { text: 'Attention', look: 'text-warn' },
  note: { text: 'Waits', look: 'text-info' },
};

interface CardProps {
  readonly finding: Finding;
  /** Of a finding without `since`. */
  readonly noticedAtMs: number | undefined;
}

function Card({ finding, noticedAtMs }: CardProps) {
  const { rank, title, why, since, target, action } = finding;
  return (
    <li className="relative flex items-start gap-4 border-b border-line py-3 pr-5 pl-6">
      <span className={`absolute inset-y-0 left-0 w-[3px] ${EDGE[rank]}`} aria-hidden="true" />
      <span className={`w-20 shrink-0 text-[12px] ${WORD[rank].look}`}>{WORD[rank].text}</span>
      <div className="min-w-0 flex-1">
        <h2 className="font-medium break-words">{shown(title)}</h2>
        <p className="break-words text-soft">{shown(why)}</p>
      </div>
      <span className="w-24 shrink-0 text-right text-faint max-md:hidden">
        {since !== null && <Age at={since} />}
        {since === null && noticedAtMs !== undefined && (
          <>
            noticed <Age at={noticedAtMs} />
          </>
        )}
      </span>
      <TargetLink
        target={target}
        className="inline-flex w-52 shrink-0 items-center justify-end gap-1.5 text-right font-medium text-accent hover:underline max-md:w-auto"
      >
        {action}
        <ArrowRight className="size-3.5 shrink-0" aria-hidden="true" />
      </TargetLink>
    </li>
  );
}
