// The JSON of an event: what the publisher gave, and what only the core can say.
import { LIMITS, PublishInput, SwarmEvent } from '@hypercode/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeEvent } from './encode-event.ts';

const origin = { namespace: 'n', source: '/agents/n/ada', now: '2026-01-01T00:00:00.000Z' };

describe('an encoded event', () => {
  test('an encoded event decodes to the event, whatever its data', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.option(fc.uuid(), { nil: undefined }), (data, id) => {
        const input = PublishInput.safeParse({ topic: 'a.b', data, id, subject: 's', source: '/somebody/else' });
        if (!input.success) return;
        const { text, ...rest } = encodeEvent(input.data, origin);
        const event = SwarmEvent.parse(JSON.parse(text));
        expect(event).toEqual({
          id: id ?? event.id,
          namespace: 'n',
          source: '/agents/n/ada',
          topic: 'a.b',
          time: origin.now,
          subject: 's',
          data: JSON.parse(JSON.stringify(data)),
        });
        expect(rest).toEqual({ id: event.id, source: origin.source, topic: 'a.b' });
      }),
    );
  });

  test('an encoded event has its id in lower case, and the time of its publisher', () => {
    const id = 'ABCDEF01-2345-4678-9ABC-DEF012345678';
    const time = '2020-02-02T02:02:02+02:00';
    const { id: known, text } = encodeEvent({ topic: 'a', data: null, id, time }, origin);
    expect(known).toBe(id.toLowerCase());
    expect(JSON.parse(text)).toMatchObject({ id: known, time });
  });

  test('the size limit of an event does not count what the core adds', () => {
    const sized = (bytes: number, character: string): PublishInput => {
      const frame = JSON.stringify({ topic: 'a', data: '' }).length;
      return { topic: 'a', data: character.repeat((bytes - frame) / Buffer.byteLength(character)) };
    };
    for (const character of ['x', 'é']) {
      expect(() => encodeEvent(sized(LIMITS.eventBytes, character), origin)).not.toThrow();
      expect(() => encodeEvent(sized(LIMITS.eventBytes + 200, character), origin)).toThrow(
        expect.objectContaining({ code: 'PAYLOAD_TOO_LARGE', details: { limit: LIMITS.eventBytes } }),
      );
    }
  });
});
