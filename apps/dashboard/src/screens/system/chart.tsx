// A small chart of statistics over time, with a legend in words.
import type { StatsMetric, StatsSeries } from '@hypercode/contracts';
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { appearance } from '../../shell/theme.ts';
import { useStore } from '../../swarm/store.ts';

interface ChartProps {
  readonly title: string;
  readonly stats: StatsSeries;
  readonly metrics: readonly StatsMetric[];
}

const HEIGHT_PX = 120;
const NAMES: Record<StatsMetric, string> = {
  published: 'published',
  delivered: 'delivered',
  acked: 'acknowledged',
  redelivered: 'redelivered',
  dead: 'dead letters',
  refused: 'refused',
  publishP99Ms: 'p99',
};

const clockTimes = (_plot: unknown, times: number[]): string[] =>
  times.map((time) => new Date(time * 1000).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' }));

export function Chart({ title, stats, metrics }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  // The colours of the lines are those of the theme.
  const look = useStore(appearance);
  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const colour = (name: string): string => getComputedStyle(element).getPropertyValue(name);
    const [first, second] = [colour('--accent'), colour('--warn')];
    const axis = { stroke: colour('--faint'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false } };
    // A line needs two points; fewer are drawn as points.
    const hasLine = metrics.some((metric) => (stats.series[metric] ?? []).filter((value) => value !== null).length > 2);
    const series = metrics.map((metric, index) => ({
      label: NAMES[metric],
      stroke: index === 0 ? first : second,
      width: 1.5,
      points: { show: !hasLine, size: 5 },
    }));
    const start = Date.parse(stats.start) / 1000;
    const columns = metrics.map((metric) => stats.series[metric] ?? []);
    const times = (columns[0] ?? []).map((_, index) => start + (index * stats.stepMs) / 1000);
    const plot = new uPlot(
      {
        width: element.clientWidth,
        height: HEIGHT_PX,
        axes: [
          { ...axis, values: clockTimes, size: 24 },
          { ...axis, size: 44 },
        ],
        series: [{}, ...series],
        legend: { show: false },
        cursor: { show: false },
        scales: { y: { range: (_plot, _min, max) => [0, Math.max(1, max ?? 1)] } },
      },
      [times, ...columns],
      element,
    );
    const sizes = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT_PX }));
    sizes.observe(element);
    return () => {
      sizes.disconnect();
      plot.destroy();
    };
  }, [stats, metrics, look]);
  const newest = metrics.map((metric) => `${NAMES[metric]} ${(stats.series[metric] ?? []).at(-2) ?? 0}`).join(', ');
  return (
    <figure className="min-w-0">
      <figcaption className="mb-1 flex items-baseline gap-3">
        <span>{title}</span>
        {metrics.map((metric, index) => (
          <span key={metric} className={`text-[12px] ${index === 0 ? 'text-accent' : 'text-warn'}`}>
            {NAMES[metric]}
          </span>
        ))}
      </figcaption>
      <div ref={place} role="img" aria-label={`${title}; in the last whole step: ${newest}`} />
    </figure>
  );
}
