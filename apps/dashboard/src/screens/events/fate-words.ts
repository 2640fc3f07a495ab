// What each state of an event says, in words that a person understands at once.
import type { GroupFate, StreamTrace } from '@hypercode/contracts';

export type Tone = 'good' | 'busy' | 'bad' | 'quiet';

export interface Words {
  readonly title: string;
  readonly tone: Tone;
  /** Why, or what to do; empty where the title says it all. */
  readonly why: string;
}

export const TONES: Record<Tone, string> = {
  good: 'text-good',
  busy: 'text-accent',
  bad: 'text-bad',
  quiet: 'text-faint',
};

export function fateWords({ state, consumer, settledBy, attempt, reason, history }: GroupFate): Words {
  const who = consumer ?? 'a member';
  const tries = attempt === null || attempt === 0 ? '' : ` at attempt ${attempt}`;
  switch (state) {
    case 'in_flight':
      return { title: `with ${who}`, tone: 'busy', why: `It is being worked on${tries}.` };
    case 'waiting':
      return { title: 'waits for another attempt', tone: 'busy', why: reason ?? 'The last deadline passed.' };
    case 'dead':
      return {
        title: 'dead letter',
        tone: 'bad',
        why: `${reason ?? 'The deadline passed'}${tries}. Redrive or discard it.`,
      };
    case 'acked':
      return {
        title: `acknowledged by ${settledBy ?? who}`,
        tone: 'good',
        why: (attempt ?? 0) > history.length + 1 ? 'The attempts before are not kept.' : '',
      };
    case 'discarded':
      return { title: `discarded by ${settledBy ?? 'an operator'}`, tone: 'quiet', why: reason ?? '' };
    case 'skipped':
      return { title: 'skipped', tone: 'bad', why: SKIPPED[reason ?? ''] ?? reason ?? '' };
    case 'unread':
      return {
        title: 'not read yet',
        tone: 'busy',
        why: 'The group has yet to come to it. Is it paused, or without a member?',
      };
    case 'not_matching':
      return { title: 'not for this group', tone: 'quiet', why: 'The topics of the group leave it out.' };
    case 'before_group':
      return { title: 'before the group began', tone: 'quiet', why: 'Seek the group back to have it read.' };
    case 'unknown':
      return {
        title: 'not known',
        tone: 'quiet',
        why: 'The group went past it, and no record of what came of it is kept.',
      };
  }
}

const SKIPPED: Record<string, string> = {
  seek: 'An operator moved the group past it.',
  retention: 'Retention removed it before the group came to it.',
  log_lost: 'The store lost its log.',
};

export const STREAM_WORDS: Record<StreamTrace['state'], Words> = {
  passed: { title: 'sent', tone: 'good', why: '' },
  behind: { title: 'not sent yet', tone: 'busy', why: 'The stream is before it in the log.' },
  began_later: { title: 'began after it', tone: 'quiet', why: '' },
  not_matching: { title: 'other topics', tone: 'quiet', why: '' },
  not_allowed: {
    title: 'denied by the policy',
    tone: 'bad',
    why: 'A pattern matches, and the policy hides the topic.',
  },
};
