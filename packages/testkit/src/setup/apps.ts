// Vitest's global setup for tests that start apps as processes: what they start is never older than the sources.
import { buildApps } from '../built-apps.ts';

export default buildApps;
