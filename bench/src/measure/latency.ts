// How long something took, as the two numbers that rows tell of it.
import { percentile } from './percentiles.ts';

export interface Latency {
  p50Ms: number;
  p99Ms: number;
}

export const latencyOf = (latenciesMs: readonly number[]): Latency => ({
  p50Ms: percentile(latenciesMs, 50),
  p99Ms: percentile(latenciesMs, 99),
});
