// A line of a program's log as a person reads it: pino writes JSON.

const LEVELS: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};
/** Fields that say what the terminal shows already. */
const KNOWN = new Set(['level', 'time', 'pid', 'hostname', 'name', 'msg']);

/** `12:30:01 warn the message key=value`. A line that is no log line stays as it is. */
export function logLine(line: string): string {
  const fields = fieldsOf(line);
  if (fields === undefined) return line;
  const more = Object.entries(fields)
    .filter(([name]) => !KNOWN.has(name))
    .map(([name, value]) => `${name}=${valueOf(value)}`);
  const time = new Date(fields.time).toISOString().slice(11, 19);
  return [time, LEVELS[fields.level] ?? String(fields.level), fields.msg, ...more].join(' ');
}

interface LogFields {
  readonly level: number;
  readonly time: number;
  readonly msg: string;
}

function fieldsOf(line: string): LogFields | undefined {
  try {
    const { level, time, msg, ...more } = JSON.parse(line) as { level?: unknown; time?: unknown; msg?: unknown };
    if (typeof level !== 'number' || typeof time !== 'number' || Number.isNaN(new Date(time).getTime()))
      return undefined;
    return { level, time, msg: typeof msg === 'string' ? msg : '', ...more };
  } catch {
    return undefined;
  }
}

/** Of an error its message: the stack is for a log file, which `pnpm --filter @hypercode/core start` writes. */
function valueOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'object' && value !== null && 'message' in value && typeof value.message === 'string')
    return JSON.stringify(value.message);
  return JSON.stringify(value);
}
