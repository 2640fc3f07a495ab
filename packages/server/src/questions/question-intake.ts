// What is checked of an event about a question before it is published: its form, and that the log of its namespace is read for questions.
import type { Bus, EventIntake } from '@hypercode/bus';
import type { Clock } from '@hypercode/clock';
import {
  invalidInput,
  QUESTION_PREFIX,
  QuestionAnswered,
  QuestionAsked,
  QuestionWithdrawn,
} from '@hypercode/contracts';
import type { Questions } from '@hypercode/operations';
import type { z } from 'zod';

export interface QuestionIntakeOptions {
  readonly bus: () => Pick<Bus, 'read'>;
  readonly questions: () => Pick<Questions, 'follow' | 'isFollowed'>;
  readonly clock: Clock;
  /** The log of another namespace is to be read. */
  readonly onFollowed: () => void;
}

const SCHEMAS: ReadonlyMap<string, z.ZodType> = new Map<string, z.ZodType>([
  ['asked', QuestionAsked],
  ['answered', QuestionAnswered],
  ['withdrawn', QuestionWithdrawn],
]);

/** For how long it is taken for granted that a log is read, in milliseconds; the duty leaves one that was not used for ten minutes. */
const LASTS_MS = 60_000;
/** Namespaces of which that is remembered. */
const MAX_REMEMBERED = 10_000;

/** The newest event of a namespace, whatever it is. */
const READER = { kind: 'operator', id: 'core:questions', name: 'questions', readOnly: true } as const;

export class QuestionIntake implements EventIntake {
  readonly #options: QuestionIntakeOptions;
  /** Until when each log is read for sure, in monotonic milliseconds. */
  readonly #followed = new Map<string, number>();

  constructor(options: QuestionIntakeOptions) {
    this.#options = options;
  }

  concerns(topic: string): boolean {
    return topic.startsWith(QUESTION_PREFIX);
  }

  /** INVALID_INPUT, UNAVAILABLE. */
  async check(namespace: string, { topic, data }: { readonly topic: string; readonly data: unknown }): Promise<void> {
    const [, , kind, ...others] = topic.split('.');
    const schema = others.length === 0 ? SCHEMAS.get(kind ?? '') : undefined;
    if (schema === undefined) return;
    const { error } = schema.safeParse(data);
    if (error !== undefined) {
      throw invalidInput({ issues: error.issues.map((issue) => ({ ...issue, path: ['data', ...issue.path] })) });
    }
    await this.#follow(namespace);
  }

  /** Before the event is published, so that it stands after the position from which the log is read. */
  async #follow(namespace: string): Promise<void> {
    const { bus, questions, clock, onFollowed } = this.#options;
    const now = clock.monotonicMs();
    if ((this.#followed.get(namespace) ?? -Infinity) > now) return;
    if (!(await questions().isFollowed(namespace))) {
      const { events } = await bus().read(READER, { namespace, order: 'newest', limit: 1 });
      await questions().follow(namespace, events[0]?.position ?? null);
      onFollowed();
    }
    if (this.#followed.size >= MAX_REMEMBERED) this.#followed.clear();
    this.#followed.set(namespace, now + LASTS_MS);
  }
}
