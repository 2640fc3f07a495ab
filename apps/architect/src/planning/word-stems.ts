// Words as the matching of goals with capabilities compares them: "Summarises", "summary" and "summarization" are one.
import { stemmer } from 'stemmer';

/** Stop words. */
const STOP_WORDS = new Set(
  `a able about above across actually after again all also always am an and another any anything are around as at away be because
  been before being below between both but by can cannot could did different do does doing done don down during each either else
  etc every everything exactly few finally first firstly for forget from further get gets getting give gives given go goes going
  good got had has have having he hello help her here hi him his how however i if in include includes including instead into is
  it its itself just keep kind lastly least less let like likes ll long lot make makes making many may me might more most much
  must my myself need needs never new next no nor not nothing now of off ok okay on once one only onto or other others our out
  over own per please possible provide provides put quickly quite rather re really s same second secondly see several shall she
  should since so some something soon still such sure t take takes than thank thanks that the their them then there these they
  thing things third this those through to together too two under until up upon us use used using various ve very via want wants
  was way we well were what when where which while who whom whose why will wish with within without would yes yet you your yours`.split(
    /\s+/,
  ),
);

/** Words of capability ids that do not distinguish capabilities. */
const GENERIC_WORDS = new Set(['agent', 'api', 'bot', 'capability', 'service', 'skill', 'tool', 'worker']);

/** Irregular forms, which have no common ending. */
const IRREGULAR = new Map([
  ['built', 'build'],
  ['found', 'find'],
  ['sent', 'send'],
  ['sold', 'sell'],
  ['written', 'write'],
]);

/** Longer words are cut to this length. */
const WORD_LENGTH = 32;

/** The stems of the words of a text without stop words, in order and with repetitions. */
export function stemsOf(text: string): string[] {
  const stems: string[] = [];
  const plain = text
    .normalize('NFKD')
    .replaceAll(/\p{M}+/gu, '')
    .toLowerCase()
    .replaceAll('e-mail', 'email');
  for (const [word] of plain.matchAll(/[\p{L}\p{N}]+/gu)) {
    if (!STOP_WORDS.has(word) && !GENERIC_WORDS.has(word)) stems.push(stemOf(word.slice(0, WORD_LENGTH)));
  }
  return stems;
}

/** A cache: swarms repeat their words. */
const known = new Map<string, string>();
const KNOWN_WORDS = 10_000;

function stemOf(word: string): string {
  let stem = known.get(word);
  if (stem === undefined) {
    if (known.size >= KNOWN_WORDS) known.clear();
    stem = reduced(word);
    known.set(word, stem);
  }
  return stem;
}

/**
 * Porter's stem, and equal stems for what Porter keeps apart: British spelling, an agent noun and its verb ("writer",
 * "write"), and the family of "analysis".
 */
function reduced(word: string): string {
  if (/^analy[stz]/.test(word)) return 'analy';
  const american = word.replace(/is(?=(?:e[drs]?|ers|ing|ations?)$)/, 'iz');
  const stem = stemmer(IRREGULAR.get(american) ?? american);
  return stem.replace(/(?<=...)(?:er|or|[eiy])$/, '').replace(/(?<=..)([bdfgmnprt])\1$/, '$1');
}
