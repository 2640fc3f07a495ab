// Finds the capability that words match best: its id and tags count more than its description, and rare words more than
// common ones.
import { compare, type OfferedCapability } from './offered-capabilities.ts';
import { stemsOf } from './word-stems.ts';

export interface CapabilityMatch {
  readonly capability: string;
  /** Whether the first of the words matches it: in "search the report", `search` does and `report` does not. */
  readonly isLed: boolean;
}

export interface MatchOptions {
  /** Whether a word that most capabilities share is enough. Default: false. */
  readonly isLenient?: boolean;
  /** Whether the first word says what is to be done, as that of "search the report" does. Default: true. */
  readonly hasLead?: boolean;
}

/** Weights of a word, by where the capability has it. */
const ID_WEIGHT = 3;
const TAG_WEIGHT = 2.5;
/** The first word of a description names the work: "Translates texts into French". */
const LEAD_WEIGHT = 2;
const DESCRIPTION_WEIGHT = 1;

/** Factor for the first of the words. */
const LEAD_FACTOR = 1.5;
/** A capability without an available agent must match twice as well. */
const UNAVAILABLE_FACTOR = 0.5;

/** Bounds for large and for hostile swarms. Beyond them, available capabilities come first, then by id. */
const MAX_CAPABILITIES = 10_000;
/** Accounts of one capability that are read: those that most agents give. */
const MAX_ACCOUNTS = 8;
/** A word that a smaller share of its agents uses does not describe a capability. */
const MIN_SHARE = 0.25;
const MAX_TAGS = 16;
const MAX_DESCRIPTION_LENGTH = 512;
/** Capabilities that are compared for one word. */
const MAX_POSTINGS = 256;
/** Words of one text that are compared. */
const MAX_WORDS = 500;

interface Posting {
  readonly entry: Entry;
  readonly weight: number;
}

interface Entry {
  readonly capability: OfferedCapability;
  readonly idStems: ReadonlySet<string>;
}

interface Candidate {
  score: number;
  /** Words of its id that were found. */
  idScore: number;
  /** Words that distinguish it from others. */
  distinctive: number;
  /** Whether one word alone is reason enough. */
  isEvident: boolean;
  /** Whether its id, its tags or the first word of its description were found. */
  isNamed: boolean;
  isLed: boolean;
}

export class CapabilityIndex {
  readonly #postings = new Map<string, Posting[]>();
  readonly #size: number;

  constructor(capabilities: readonly OfferedCapability[]) {
    const indexed = capabilities.toSorted(byAvailability).slice(0, MAX_CAPABILITIES);
    this.#size = indexed.length;
    for (const capability of indexed) this.#add(capability);
  }

  /** The capability that the stems (of `stemsOf`) match best; null when they match none. Ties go to the first by id. */
  match(stems: readonly string[], { isLenient = false, hasLead = true }: MatchOptions = {}): CapabilityMatch | null {
    let best: { readonly capability: OfferedCapability; readonly score: number; readonly isLed: boolean } | null = null;
    for (const [{ capability, idStems }, found] of this.#candidates(stems, hasLead)) {
      if (!(isLenient ? found.isNamed : found.isEvident || found.distinctive > 1)) continue;
      const score = scoreOf(capability, found, this.#worthOf(idStems));
      const isBetter =
        best === null || score > best.score || (score === best.score && compare(capability.id, best.capability.id) < 0);
      if (isBetter) best = { capability, score, isLed: found.isLed };
    }
    return best === null ? null : { capability: best.capability.id, isLed: best.isLed };
  }

  /** Ids of all capabilities that the stems match, the best first. */
  rank(stems: readonly string[]): string[] {
    return [...this.#candidates(stems, false)]
      .map(([{ capability, idStems }, found]) => ({
        id: capability.id,
        score: scoreOf(capability, found, this.#worthOf(idStems)),
      }))
      .toSorted((a, b) => b.score - a.score || compare(a.id, b.id))
      .map(({ id }) => id);
  }

  #add(capability: OfferedCapability): void {
    const idStems = stemsOf(wordsOfId(capability.id));
    const weights = accountWeights(capability);
    for (const stem of idStems) weights.set(stem, ID_WEIGHT);
    const entry = { capability, idStems: new Set(idStems) };
    for (const [stem, weight] of weights) {
      const postings = this.#postings.get(stem);
      if (postings === undefined) this.#postings.set(stem, [{ entry, weight }]);
      else postings.push({ entry, weight });
    }
  }

  #candidates(stems: readonly string[], hasLead: boolean): Map<Entry, Candidate> {
    const candidates = new Map<Entry, Candidate>();
    const lead = hasLead ? stems[0] : undefined;
    for (const stem of new Set(stems.slice(0, MAX_WORDS))) {
      const postings = this.#postings.get(stem) ?? [];
      const rarity = this.#rarityOf(stem);
      const isDistinctive = postings.length === 1 || postings.length <= this.#size / 2;
      const isLead = stem === lead;
      for (const { entry, weight } of postings.slice(0, MAX_POSTINGS)) {
        const found = candidates.get(entry) ?? newCandidate();
        candidates.set(entry, found);
        const isName = weight >= LEAD_WEIGHT;
        found.score += weight * rarity * (isLead ? LEAD_FACTOR : 1);
        if (entry.idStems.has(stem)) found.idScore += rarity;
        if (isDistinctive) found.distinctive += 1;
        found.isEvident ||= isName && (isLead || isDistinctive);
        found.isNamed ||= isName;
        found.isLed ||= isName && isLead;
      }
    }
    return candidates;
  }

  /** Inverse document frequency. */
  #rarityOf(stem: string): number {
    const holders = this.#postings.get(stem)?.length ?? 0;
    return holders === 0 ? 0 : Math.log(1 + this.#size / holders);
  }

  #worthOf(stems: ReadonlySet<string>): number {
    let worth = 0;
    for (const stem of stems) worth += this.#rarityOf(stem);
    return worth;
  }
}

/**
 * The words that agents use for the capability. A word weighs as much as the share of the agents that use it, and nothing
 * when few do, so that one agent neither replaces nor outweighs the words of others.
 */
function accountWeights({ accounts }: OfferedCapability): Map<string, number> {
  const sums = new Map<string, { users: number; weight: number }>();
  const describing = accounts.reduce((sum, { agents }) => sum + agents.length, 0);
  for (const { description, tags, agents } of accounts.slice(0, MAX_ACCOUNTS)) {
    const own = new Map<string, number>();
    const [lead, ...others] = stemsOf(description.slice(0, MAX_DESCRIPTION_LENGTH));
    for (const stem of others) own.set(stem, DESCRIPTION_WEIGHT);
    if (lead !== undefined) own.set(lead, LEAD_WEIGHT);
    for (const stem of tags.slice(0, MAX_TAGS).flatMap((tag) => stemsOf(tag))) own.set(stem, TAG_WEIGHT);
    for (const [stem, weight] of own) {
      const sum = sums.get(stem) ?? { users: 0, weight: 0 };
      sums.set(stem, { users: sum.users + agents.length, weight: sum.weight + weight * agents.length });
    }
  }
  const used = [...sums].filter(([, { users }]) => users >= describing * MIN_SHARE);
  return new Map(used.map(([stem, { weight }]) => [stem, weight / describing]));
}

/** Of two capabilities that the same words match, the one with fewer other words in its id is better. */
function scoreOf({ isAvailable }: OfferedCapability, { score, idScore }: Candidate, idWorth: number): number {
  const closeness = idWorth === 0 ? 0 : idScore / idWorth;
  return (score + closeness) * (isAvailable ? 1 : UNAVAILABLE_FACTOR);
}

const byAvailability = (a: OfferedCapability, b: OfferedCapability): number =>
  Number(b.isAvailable) - Number(a.isAvailable) || compare(a.id, b.id);

const newCandidate = (): Candidate => ({
  score: 0,
  idScore: 0,
  distinctive: 0,
  isEvident: false,
  isNamed: false,
  isLed: false,
});

/** Ids are written as `create-pull-request`, `create_pull_request`, `pulls.create` or `createPullRequest`. */
const wordsOfId = (id: string): string => id.replaceAll('-', ' ').replaceAll(/(?<=[a-z0-9])(?=[A-Z])/g, ' ');
