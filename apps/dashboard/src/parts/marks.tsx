// Health, circuit and activity: each as a shape, a colour and a word, so that none of the three is needed.
import type { Activity, AgentSummary, CircuitState, Health } from '@hypercode/client';
import { Countdown } from './age.tsx';

const HEALTH: Record<Health, { readonly colour: string; readonly shape: string }> = {
  // A full disc, a disc with a bar, and a ring.
  healthy: { colour: 'text-good', shape: 'M6 1.2a4.8 4.8 0 1 1 0 9.6 4.8 4.8 0 0 1 0-9.6' },
  unhealthy: { colour: 'text-bad', shape: 'M6 .8 11.4 10.6H.6z' },
  unknown: {
    colour: 'text-faint',
    shape: 'M6 1.2a4.8 4.8 0 1 1 0 9.6 4.8 4.8 0 0 1 0-9.6m0 1.6a3.2 3.2 0 1 0 0 6.4 3.2 3.2 0 0 0 0-6.4',
  },
};

export function HealthMark({ health }: { readonly health: Health }) {
  const { colour, shape } = HEALTH[health] ?? HEALTH.unknown;
  return (
    <span className={`inline-flex items-center gap-1.5 align-bottom ${colour}`}>
      <svg viewBox="0 0 12 12" className="size-2.5 shrink-0" fill="currentColor" fillRule="evenodd" aria-hidden="true">
        <path d={shape} />
      </svg>
      {health}
    </span>
  );
}

const CIRCUIT: Record<CircuitState, { readonly word: string; readonly look: string }> = {
  closed: { word: 'closed', look: 'text-faint' },
  half_open: { word: 'half open', look: 'text-warn' },
  open: { word: 'open', look: 'text-bad font-medium' },
};

export function CircuitMark({ status }: { readonly status: AgentSummary['status'] }) {
  const { circuit, circuitOpenUntil } = status;
  const { word, look } = CIRCUIT[circuit] ?? { word: circuit, look: 'text-soft' };
  return (
    <span className={`inline-flex items-center gap-1.5 align-bottom whitespace-nowrap ${look}`}>
      <svg
        viewBox="0 0 16 10"
        className="h-2 w-3.5 shrink-0"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.6"
        aria-hidden="true"
      >
        <path
          d={circuit === 'closed' ? 'M0 5h16' : circuit === 'open' ? 'M0 5h4m8 0h4M4 5l7-4' : 'M0 5h4m8 0h4M4 5l8-2'}
        />
      </svg>
      {word}
      {circuit === 'open' && circuitOpenUntil !== null && (
        <span className="font-normal text-soft">
          tried <Countdown until={circuitOpenUntil} />
        </span>
      )}
    </span>
  );
}

const ACTIVITY: Partial<Record<Activity, string>> = { blocked: 'text-bad', waiting: 'text-warn', ready: 'text-soft' };

export function ActivityMark({ activity }: { readonly activity: Activity }) {
  return <span className={ACTIVITY[activity] ?? 'text-ink'}>{activity}</span>;
}
