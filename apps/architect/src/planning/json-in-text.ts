// The JSON in what a model wrote: models put fences, thoughts and sentences around it.

/** Most characters that are searched for the ends of objects, so that a hostile text costs bounded time. */
const SEARCHED_LENGTH = 32 * 1024 * 1024;

/** Objects in JSON within a text, in the order of the text, without those that are inside of others. */
export function objectsIn(text: string): object[] {
  const objects: object[] = [];
  let left = SEARCHED_LENGTH;
  for (let begin = text.indexOf('{'); begin !== -1 && left > 0;) {
    const end = endOfObject(text, begin);
    left -= (end ?? text.length) - begin;
    const object = end === null ? undefined : parsed(text.slice(begin, end));
    if (object !== undefined) objects.push(object);
    begin = text.indexOf('{', object === undefined || end === null ? begin + 1 : end);
  }
  return objects;
}

/** The text after its last thought, as models that think aloud mark it; all of it when it has none. */
export function withoutThoughts(text: string): string {
  const marks = [...text.matchAll(/<\/think(?:ing)?>/gi)];
  const last = marks.at(-1);
  return last === undefined ? text : text.slice(last.index + last[0].length);
}

/** The contents of the fenced blocks of a text (CommonMark 4.5), of which the last may have no end. */
export function fencedBlocks(text: string): string[] {
  return [...text.matchAll(/^[ \t]*(`{3,}|~{3,})[^\n]*\n([^]*?)(?:^[ \t]*\1|$(?![^]))/gm)].map(
    ([, , block = '']) => block,
  );
}

/** Behind the brace that closes the object at `begin`; null when none does. Braces in strings do not count. */
function endOfObject(text: string, begin: number): number | null {
  let depth = 0;
  let isString = false;
  for (let at = begin; at < text.length; at += 1) {
    const character = text[at];
    if (isString) {
      if (character === '\\') at += 1;
      else if (character === '"') isString = false;
    } else if (character === '"') isString = true;
    else if (character === '{') depth += 1;
    else if (character === '}') {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return null;
}

/** Undefined when it is no JSON. The text begins with a brace, so JSON is an object. */
function parsed(text: string): object | undefined {
  try {
    return JSON.parse(text) as object;
  } catch {
    return undefined;
  }
}
