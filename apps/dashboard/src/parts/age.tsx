// How long ago something was, and the whole time on hovering.
import { clockText, durationText } from './duration.ts';
import { useNow } from '../swarm/swarm-context.tsx';

export function Age({ at, suffix = ' ago' }: { readonly at: string | number; readonly suffix?: string }) {
  const now = useNow();
  const ms = now - new Date(at).getTime();
  return (
    <time dateTime={new Date(at).toISOString()} title={new Date(at).toLocaleString('en-GB')}>
      {ms < 1000 && suffix !== '' ? 'now' : `${durationText(ms)}${suffix}`}
    </time>
  );
}

/** How long until a moment, counting down. */
export function Countdown({ until }: { readonly until: string }) {
  const now = useNow();
  const ms = new Date(until).getTime() - now;
  return <time dateTime={until}>{ms <= 0 ? 'now' : `in ${durationText(ms + 999)}`}</time>;
}

/** A time of the clock: `12:04:11` today. */
export function At({ time }: { readonly time: string | number }) {
  const now = useNow();
  return <time dateTime={new Date(time).toISOString()}>{clockText(time, now)}</time>;
}
