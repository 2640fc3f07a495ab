// Time, timers, chance and ids as a parameter, so that tests decide them.
export { type Clock, systemClock } from './clock.ts';
export { repeat } from './repeat.ts';
export { sleep } from './sleep.ts';
export { within } from './within.ts';
