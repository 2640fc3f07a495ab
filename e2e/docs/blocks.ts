// The samples of the documentation: the fenced blocks of every page, as they stand there.
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Block {
  readonly page: string;
  /** Of its fence, from 1. */
  readonly line: number;
  /** The info string. */
  readonly language: string;
  readonly code: string;
}

/** Every page but the decisions, which have no samples. */
export const allPages = (): string[] =>
  globSync(['*.md', 'docs/*.md', '{packages,apps}/*/*.md', '{bench,examples}/*.md'], { cwd: ROOT }).toSorted();

/** A block without an info string is a diagram. */
export async function samplesOf(page: string): Promise<Block[]> {
  const text = await readFile(join(ROOT, page), 'utf8');
  const blocks = [...text.matchAll(/^( *)```([^\n]*)\n(.*?)^ *```$/gms)];
  return blocks
    .map(({ 1: indent = '', 2: language = '', 3: code = '', index }) => ({
      page,
      line: text.slice(0, index).split('\n').length,
      language,
      code: code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    }))
    .filter(({ language }) => language !== '');
}

/** The file that a sample is, where its first line names one: other samples of the page import it. */
export const fileOf = ({ code }: Block): string | undefined => /^\/\/ (\S+\.ts)\n/.exec(code)?.[1];

/** What the page says that a block prints: comments that begin with `prints`. */
export const shownIn = ({ code }: Block): string[] =>
  [...code.matchAll(/(?:^|\s)(?:#|\/\/) prints (.*)$/gm)].map(([, text = '']) => text);

/** Whether an output has what a page shows. White space does not count, and `…` stands for anything. */
export function isShown(shown: string, output: string): boolean {
  const bare = (text: string): string => text.replaceAll(/\s/g, '');
  const pattern = bare(shown)
    .split('…')
    .map((part) => part.replaceAll(/[^\w]/g, String.raw`\$&`))
    .join('.*');
  return new RegExp(pattern).test(bare(output));
}
