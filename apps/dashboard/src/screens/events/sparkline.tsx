// The traffic of a topic over the last hour, in a line of text.
import { countText } from '../../parts/duration.ts';
import { type TopicTraffic, WINDOW_MINUTES } from './topic-traffic.ts';

const WIDTH = 54;
const HEIGHT = 14;

export function Sparkline({ traffic }: { readonly traffic: TopicTraffic | undefined }) {
  const sum = traffic?.sum ?? 0;
  const most = Math.max(...(traffic?.perMinute ?? []), Number.MIN_VALUE);
  const placeOf = (minutes: number): number => WIDTH * (1 - minutes / WINDOW_MINUTES[0]);
  const path = WINDOW_MINUTES.map((from, step) => {
    const y = HEIGHT - 1 - ((traffic?.perMinute[step] ?? 0) / most) * (HEIGHT - 2);
    return `${step === 0 ? 'M' : 'L'}${placeOf(from).toFixed(1)} ${y.toFixed(1)}H${placeOf(WINDOW_MINUTES[step + 1] ?? 0).toFixed(1)}`;
  }).join('');
  return (
    <svg
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      className="h-3.5 w-[54px] shrink-0"
      role="img"
      aria-label={`${countText(sum)} received in the last hour`}
    >
      <path d={path} fill="none" stroke={sum === 0 ? 'var(--line)' : 'var(--accent)'} strokeWidth="1.25" />
    </svg>
  );
}
