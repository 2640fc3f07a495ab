// What measurements take of the inside of the bus, one part at a time. It is not published.
export { admit } from '../src/admission/admit.ts';
export { Access } from '../src/policies/access.ts';
export { projectionOf } from '../src/subscriptions/topic-filter.ts';
