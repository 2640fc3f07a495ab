// For the tests of the signal's drivers: the contract of the port.
export { signalConformance, signalOutageConformance } from './signal.ts';
