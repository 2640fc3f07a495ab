// Splits a text into clauses, which can be steps: lines of lists, sentences, and the parts of sentences.

/**
 * How a clause relates to the one before it:
 * `then`, it comes later; `with`, it may be done at the same time; `before`, it comes earlier.
 */
export type Joint = 'then' | 'with' | 'before';

export interface Clause {
  readonly text: string;
  /** What stood between it and the clause before, if they are joined. */
  readonly gap: string;
  readonly joint: Joint;
  /** Whether it and the clause before are parts of one sentence, and may be one after all. */
  readonly isJoined: boolean;
  /** Whether it begins a line of a list. */
  readonly isItem: boolean;
  /** The list or the rest of the sentence that it belongs to; 0 is none. */
  readonly body: number;
  /** The body that it is the heading of, as in "The plan: …"; null when it is none. */
  readonly heads: number | null;
}

interface Block {
  readonly text: string;
  readonly isItem: boolean;
}

/** "1.", "2)", "(3)", "a)", "-", "*", "•" at the beginning of a line. */
const LIST_MARKER = /^ ?(?:[-*•–—+]|\(?\d{1,3}[.):]|\(?[a-z]\)) /i;

/** Invisible characters become spaces. */
const blanked = (line: string): string => line.replaceAll(/[\s\p{Cc}]+/gu, ' ').trimEnd();

/** The text's clauses, in order. Takes time linear in its length. */
export function clausesOf(text: string): Clause[] {
  const clauses: Clause[] = [];
  let bodies = 0;
  /** The list that the next item belongs to. */
  let list = 0;
  for (const { text: block, isItem } of blocksOf(text)) {
    if (!isItem) list = 0;
    let isFirst = true;
    for (const sentence of sentencesOf(block)) {
      const headingEnd = headingEndOf(sentence);
      const isLineHeading = headingEnd === sentence.length;
      const own = headingEnd === null ? list : (bodies += 1);
      if (isLineHeading && !isItem) list = own;
      const heading = headingEnd === null ? '' : sentence.slice(0, headingEnd);
      if (heading !== '') {
        const body = list === own ? 0 : list;
        clauses.push({ text: heading, gap: '', joint: 'then', isJoined: false, isItem, body, heads: own });
        isFirst = false;
      }
      for (const part of partsOf(sentence.slice(heading.length).trimStart())) {
        clauses.push({ ...part, isItem: isItem && isFirst, body: own, heads: null });
        isFirst = false;
      }
    }
  }
  return clauses;
}

/** Lines of lists, each with the lines that go on with it, and lines in between. */
function blocksOf(text: string): Block[] {
  const blocks: Block[] = [];
  let open: { text: string; isItem: boolean } | null = null;
  for (const raw of text.split(/\r\n|[\n\r\u2028\u2029]/)) {
    const line = blanked(raw);
    const marker = LIST_MARKER.exec(line);
    if (line === '') {
      open = null;
    } else if (marker !== null) {
      blocks.push((open = { text: line.slice(marker[0].length).trim(), isItem: true }));
    } else if (
      open !== null &&
      !open.text.endsWith(':') &&
      (/^ ?\p{Ll}/u.test(line) || (open.isItem && line.startsWith(' ')))
    ) {
      open.text += ` ${line.trim()}`;
    } else {
      blocks.push((open = { text: line.trim(), isItem: false }));
    }
  }
  return blocks.filter((block) => block.text !== '');
}

/** Where "e.g." and the like end, no sentence does. */
const ABBREVIATION = /(?:^|[\s(])(?:e\.g|i\.e|vs|approx|dr|mr|mrs|ms|st|\p{L})\.$/iu;

function sentencesOf(block: string): string[] {
  const sentences: string[] = [];
  for (const part of block.split(/(?<=[.!?…]["')\]]?) |; ?|(?<=[。！？])|；/u)) {
    const last = sentences.at(-1);
    // Looks at its end only: a text of abbreviations stays linear.
    if (last !== undefined && ABBREVIATION.test(last.slice(-8))) sentences[sentences.length - 1] = `${last} ${part}`;
    else sentences.push(part);
  }
  return sentences.filter((sentence) => sentence.trim() !== '');
}

/** Where the heading of the sentence ends, its colon included; null when it has none. */
function headingEndOf(sentence: string): number | null {
  const colon = sentence.search(/:(?: |$)/);
  return colon <= 0 ? null : colon + 1;
}

/** Words after which the rest comes later. */
const THEN = String.raw`,? ?(?<![\p{L}\p{N}])(?:(?:and|but) )?(?:then|after that|after which|afterwards?|subsequently|finally|lastly|followed by)(?![\p{L}\p{N}])[,:]? ?`;
/** All that may stand between the parts of a sentence. */
const JOINTS = new RegExp(
  String.raw`(?<then>${THEN})|(?:,? (?<word>before|after) )|(?<with>,? (?:and|&|plus|as well as) )|(?<comma>, )`,
  'giu',
);

type Part = Pick<Clause, 'text' | 'gap' | 'joint' | 'isJoined'>;

const FIRST: Omit<Part, 'text'> = { gap: '', joint: 'then', isJoined: false };

/** The parts of a sentence, whose joints are words or commas between them. */
function partsOf(sentence: string): Part[] {
  const parts: Part[] = [];
  let next = FIRST;
  let begin = 0;
  /** "Before you deploy, test": whether the comma is still to come. */
  let isReversed = /^(?:before|prior to) /i.test(sentence);
  const addUpTo = (end: number): void => {
    const text = sentence.slice(begin, end).trim();
    if (/[\p{L}\p{N}]/u.test(text)) parts.push({ text, ...(parts.length === 0 ? FIRST : next) });
  };
  for (const { index, groups = {}, 0: gap } of sentence.matchAll(JOINTS)) {
    addUpTo(index);
    begin = index + gap.length;
    const joint = isReversed && groups['comma'] !== undefined ? 'before' : jointOf(groups);
    if (joint === 'before') isReversed = false;
    next = { gap, joint, isJoined: groups['then'] === undefined };
  }
  addUpTo(sentence.length);
  return parts;
}

/** In "Deploy after the test" the first part comes later. */
function jointOf({ with: and, word }: Partial<Record<string, string>>): Joint {
  if (and !== undefined) return 'with';
  return word?.toLowerCase() === 'after' ? 'before' : 'then';
}

/** Whether it forbids something. */
export const isForbidding = (clause: string): boolean =>
  /^(?:(?:but|please|and) )*(?:do not|don['’]?t|never|avoid|without|no need to)(?! forget)(?![\p{L}\p{N}])/iu.test(
    clause,
  );

/** Whether it describes something and asks for nothing: "The report should be short". */
export const isStatement = (clause: string): boolean =>
  /^(?:the|a|an|it|its|this|that|these|those|they|their|there|all|each|every)(?![\p{L}\p{N}])/iu.test(clause);

/** Whether it refers to the result of the clause before: "and publish it". */
export const refersBack = (clause: string): boolean =>
  /(?<![\p{L}\p{N}])(?:it|its|them|they|their|these|those|results?|findings|outcomes?|outputs?)(?![\p{L}\p{N}])/iu.test(
    clause,
  );
