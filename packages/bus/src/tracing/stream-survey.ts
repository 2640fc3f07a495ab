// The streams of all replicas in one namespace: those of this one as they are, those of the others as they reported them.
import type { Clock } from '@hypercode/clock';
import type { OtherStreams, StreamAudience } from '@hypercode/contracts';
import type { LiveStreams } from '../subscriptions/live-streams.ts';

export interface SurveyedAudience extends StreamAudience {
  /** The id of the replica. */
  readonly replica: string;
}

export interface Survey {
  /** The time of the oldest report. */
  readonly asOf: string;
  readonly audiences: readonly SurveyedAudience[];
  /** Streams that no audience counts. */
  readonly omitted: number;
}

export interface StreamSurveyOptions {
  readonly live: LiveStreams;
  /** The id of this replica. */
  readonly replica: string;
  /** What the other replicas reported. UNAVAILABLE. */
  readonly others: (namespace: string) => Promise<readonly OtherStreams[]>;
  readonly clock: Pick<Clock, 'epochMs'>;
}

export class StreamSurvey {
  readonly #options: StreamSurveyOptions;

  constructor(options: StreamSurveyOptions) {
    this.#options = options;
  }

  /** Of this replica, from memory. */
  here(namespace: string): SurveyedAudience[] {
    const { live, replica } = this.#options;
    return live.of(namespace).map((audience) => ({ ...audience, replica }));
  }

  async elsewhere(namespace: string): Promise<Survey> {
    const others = await this.#options.others(namespace);
    const now = new Date(this.#options.clock.epochMs()).toISOString();
    return {
      asOf: others.reduce((oldest, { asOf }) => (asOf < oldest ? asOf : oldest), now),
      audiences: others.flatMap(({ replica, audiences }) => audiences.map((audience) => ({ ...audience, replica }))),
      omitted: others.reduce((sum, { omitted }) => sum + omitted, 0),
    };
  }

  async everywhere(namespace: string): Promise<Survey> {
    const { audiences, ...survey } = await this.elsewhere(namespace);
    return { ...survey, audiences: [...this.here(namespace), ...audiences] };
  }
}
