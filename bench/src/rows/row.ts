// One row of the bench: what it measures, against what.
import type { Figure } from '../figures.ts';
import type { Rig } from '../rig.ts';

export interface Row {
  /** What `--only` takes. */
  name: string;
  title: string;
  measure(rig: Rig): Promise<Findings>;
}

export interface Findings {
  figures: Figure[];
  /** What is left out or has to be known to read the figures. */
  notes?: string[];
  /** Every round of everything, for the JSON. */
  rounds?: unknown;
}
