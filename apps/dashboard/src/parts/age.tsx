// How long ago something was, and the whole time on hovering. Drawn again only when its words change.
import { memo } from 'react';
import { clockText, dayText, durationText, wholeTimeText } from './duration.ts';
import { useOfNow } from '../swarm/swarm-context.tsx';

interface AgeProps {
  readonly at: string | number;
  readonly suffix?: string;
}

export const Age = memo(function Age({ at, suffix = ' ago' }: AgeProps) {
  const time = new Date(at).getTime();
  const words = useOfNow((now) => {
    const ms = now - time;
    return ms < 1000 && suffix !== '' ? 'now' : `${durationText(ms)}${suffix}`;
  });
  return (
    <time dateTime={new Date(time).toISOString()} title={wholeTimeText(time)}>
      {words}
    </time>
  );
});

/** How long until a moment, counting down. */
export function Countdown({ until }: { readonly until: string }) {
  const end = new Date(until).getTime();
  const words = useOfNow((now) => (end <= now ? 'now' : `in ${durationText(end - now + 999)}`));
  return <time dateTime={until}>{words}</time>;
}

/** A time of the clock: `12:04:11` today. */
export const At = memo(function At({ time }: { readonly time: string | number }) {
  const today = useOfNow(dayText);
  return <time dateTime={new Date(time).toISOString()}>{clockText(time, today)}</time>;
});
