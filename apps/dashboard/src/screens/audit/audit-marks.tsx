// How an act went, as a shape, a colour and a word.
import { Check, CircleDashed, CircleHelp, X } from 'lucide-react';
import type { ActState, AuditAct } from './audit-acts.ts';

const LOOKS: Readonly<Record<ActState, { readonly look: string; readonly icon: typeof Check }>> = {
  done: { look: 'text-good', icon: Check },
  refused: { look: 'text-bad', icon: X },
  open: { look: 'text-soft', icon: CircleDashed },
  unknown: { look: 'text-warn', icon: CircleHelp },
};

export function ActStateMark({ act: { state, entry } }: { readonly act: AuditAct }) {
  const { look, icon: Icon } = LOOKS[state];
  return (
    <span className={`inline-flex items-center gap-1.5 align-bottom ${look}`}>
      <Icon className="size-3.5 shrink-0" aria-hidden="true" />
      {state === 'refused' ? <span className="font-mono text-[11px]">{entry.outcome}</span> : state}
    </span>
  );
}
