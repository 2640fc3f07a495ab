// For tests: a clock that stands still until it is moved.
export { HeldClock } from './held-clock.ts';
