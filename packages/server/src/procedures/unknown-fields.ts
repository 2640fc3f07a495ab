// Names that a procedure does not have: refused, because a mistyped field would silently mean its default; ignored and listed for a
// caller that speaks a newer version of the API than this core.
import {
  API_HEADER,
  API_VERSION,
  IGNORED_HEADER,
  type KnownFields,
  LIMITS,
  unknownFields as findUnknown,
} from '@hypercode/contracts';
import { closest, distance } from 'fastest-levenshtein';

/** Unknown names that one answer lists, or one refusal. */
const MAX_NAMES = 50;

/** What was ignored of the input of a caller with a newer version of the API. */
export class IgnoredNames {
  readonly #names = new Set<string>();

  note(name: string): void {
    if (this.#names.size < MAX_NAMES)
      this.#names.add(encodeURIComponent(name.slice(0, LIMITS.nameLength).toWellFormed()));
  }

  /** The header that lists them, percent-encoded; none when nothing was ignored. */
  get headers(): Record<string, string> {
    return this.#names.size === 0 ? {} : { [IGNORED_HEADER]: [...this.#names].join(', ') };
  }
}

/** For a caller that names its version of the API, in a header or in `connectionParams`. Null: what is unknown is refused. */
export function ignoredNamesFor(callers: Readonly<Record<string, unknown>> | null | undefined): IgnoredNames | null {
  const version = callers?.[API_HEADER];
  if (typeof version !== 'string' || !/^\d{1,9}$/.test(version)) return null;
  return Number(version) > API_VERSION ? new IgnoredNames() : null;
}

/** An issue for each unknown field; none where they are ignored: then they are noted. */
export function issuesOfUnknown(
  value: unknown,
  known: KnownFields | null,
  ignored: IgnoredNames | null,
): { path: readonly string[]; message: string }[] {
  const found = findUnknown(value, known, MAX_NAMES + 1);
  if (ignored === null) {
    return found.map(({ path, known: names }) => ({
      path: path.map((step) => step.slice(0, LIMITS.nameLength)),
      message: `is no field here${hintFor(path.at(-1) ?? '', names)}`,
    }));
  }
  for (const { path } of found) ignored.note(path.join('.'));
  return [];
}

/** Edits that a mistyped name may be away from the one that was meant. */
const MAX_EDITS = 3;

/** The known name that was probably meant, as the end of a sentence; empty when none is near. */
export function hintFor(name: string, known: readonly string[]): string {
  // Names of other lengths are further away, and input from strangers can have thousands.
  const near = known.filter(({ length }) => Math.abs(length - name.length) <= MAX_EDITS);
  if (near.length === 0) return '';
  const shown = name.toLowerCase();
  const nearest = closest(shown, near);
  return distance(shown, nearest.toLowerCase()) <= MAX_EDITS ? `; did you mean "${nearest}"?` : '';
}
