// What agents and users publish about tasks and goals, made to fit its schema where its meaning is plain: a failure
// stays a failure, however long its message is. What has no plain meaning is left as it is, and is refused.
import { LIMITS } from '@hypercode/contracts';

type Fields = Readonly<Record<string, unknown>>;

/** The data of an event of this kind, such as `task.failed`, as its schema wants it. */
export function plainly(kind: string, data: unknown): unknown {
  if (!isFields(data)) return data;
  switch (kind) {
    case 'task.accepted':
    case 'task.completed':
      return withAttempt(data);
    case 'task.progress': {
      const { message, ...rest } = withAttempt(data);
      const words = typeof message === 'string' ? { message: fitting(message, LIMITS.reasonLength) } : {};
      return { ...rest, progress: fractionOf(data.progress), ...words };
    }
    case 'task.failed':
      return { ...withAttempt(data), error: errorOf(data) };
    case 'goal.cancelled': {
      const { reason, ...rest } = data;
      return typeof reason === 'string' && reason !== ''
        ? { ...rest, reason: fitting(reason, LIMITS.reasonLength) }
        : rest;
    }
    default:
      return data;
  }
}

/** A number may be written as text. */
function withAttempt(data: Fields): Fields {
  const { attempt } = data;
  return typeof attempt === 'string' && /^[1-9]\d{0,8}$/.test(attempt) ? { ...data, attempt: Number(attempt) } : data;
}

/** Above 1 is 1, and below 0 is 0. */
function fractionOf(value: unknown): unknown {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && !Number.isNaN(number) ? Math.min(1, Math.max(0, number)) : value;
}

/** The error may be a text, another object, or missing: the attempt has failed all the same. */
function errorOf(data: Fields): { readonly message: string; readonly retryable: boolean } {
  const { error } = data;
  const { message, retryable = data.retryable } = isFields(error) ? error : { message: error };
  const words = [message, data.message, data.reason, error].map(wordsOf).find((text) => text !== '');
  return {
    message: fitting(words ?? 'no reason given', LIMITS.taskErrorLength),
    retryable: retryable !== false && retryable !== 'false',
  };
}

function wordsOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? (value.trim() === '' ? '' : value) : JSON.stringify(value);
}

/** The text, or its beginning and an ellipsis: at most `length` UTF-16 units, without what the schemas of texts refuse. */
export function fitting(text: string, length: number): string {
  const storable = text.replaceAll('\0', '').toWellFormed();
  if (storable.length <= length) return storable;
  // Not half of a character.
  return `${storable.slice(0, length - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
