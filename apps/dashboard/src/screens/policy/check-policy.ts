// The text of a policy, checked while it is typed: what is wrong with it, and where. The core checks it again.
import { jsonLanguage } from '@codemirror/lang-json';
import { knownFieldsOf, PolicyRules, unknownFields } from '@hypercode/contracts';

export interface PolicyProblem {
  /** Offsets in the text. */
  readonly from: number;
  readonly to: number;
  readonly message: string;
}

export interface CheckedPolicy {
  /** Null while there are problems. */
  readonly rules: PolicyRules | null;
  readonly problems: readonly PolicyProblem[];
}

const MAX_PROBLEMS = 50;
const KNOWN = knownFieldsOf(PolicyRules);

type Tree = ReturnType<typeof jsonLanguage.parser.parse>;
type Node = Tree['topNode'];
type Path = readonly PropertyKey[];

export function checkPolicy(text: string): CheckedPolicy {
  const tree = jsonLanguage.parser.parse(text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const at = syntaxErrorAt(tree) ?? text.length;
    const problem = { from: at, to: Math.min(text.length, at + 1), message: `Not JSON: ${(error as Error).message}` };
    return { rules: null, problems: [problem] };
  }
  const at = (path: Path, message: string): PolicyProblem => ({ ...placeOf(tree, text, path), message });
  const checked = PolicyRules.safeParse(value);
  const problems = [
    ...repeatedNames(tree, text),
    ...unknownFields(value, KNOWN, MAX_PROBLEMS).map(({ path, known }) =>
      at(path, `There is no field "${path.at(-1)}" here. Known are ${known.join(', ')}.`),
    ),
    ...(checked.error?.issues ?? []).map((issue) => {
      const [inner] = issue.code === 'invalid_key' ? issue.issues : [];
      return at(issue.path, inner?.message ?? issue.message);
    }),
  ].slice(0, MAX_PROBLEMS);
  return { rules: problems.length === 0 && checked.success ? checked.data : null, problems };
}

function syntaxErrorAt(tree: Tree): number | null {
  let found: number | null = null;
  tree.iterate({
    enter: ({ type, from }) => {
      if (type.isError) found ??= from;
    },
  });
  return found;
}

const nameOf = (property: Node, text: string): string | null => {
  const name = property.getChild('PropertyName');
  return name === null ? null : (JSON.parse(text.slice(name.from, name.to)) as string);
};

/** JSON takes the last of two fields of one name, and is silent about the first. */
function repeatedNames(tree: Tree, text: string): PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  tree.iterate({
    enter: ({ name, node }) => {
      if (name !== 'Object') return;
      const seen = new Set<string>();
      for (const property of node.getChildren('Property')) {
        const field = nameOf(property, text);
        if (field === null) continue;
        if (seen.has(field)) {
          const { from, to } = property.getChild('PropertyName') ?? property;
          problems.push({ from, to, message: `"${field}" is there twice. The last one would count.` });
        }
        seen.add(field);
      }
    },
  });
  return problems;
}

/** The value at the path, or the name of the innermost field that is there. */
function placeOf(tree: Tree, text: string, path: Path): { from: number; to: number } {
  let node: Node | null = tree.topNode.firstChild;
  let place: Node | null = node;
  for (const step of path) {
    if (node?.name === 'Array') {
      node = childrenOf(node).filter(({ name }) => !/^[[\],]$/.test(name))[Number(step)] ?? null;
      place = node ?? place;
    } else {
      const property: Node | null =
        node?.getChildren('Property').findLast((one) => nameOf(one, text) === String(step)) ?? null;
      node = property?.lastChild ?? null;
      place = property?.getChild('PropertyName') ?? place;
    }
    if (node === null) break;
  }
  // A whole object is too much to underline.
  const end = place === null || place.name === 'Object' ? (place?.from ?? 0) + 1 : place.to;
  return { from: place?.from ?? 0, to: end };
}

function childrenOf(node: Node): Node[] {
  const children: Node[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) children.push(child);
  return children;
}
