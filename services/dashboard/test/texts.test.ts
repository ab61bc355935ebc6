import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { TERM_HOURS } from '@imscope/schemas/retention.js';
import { parseSync } from 'vite';
import { TERM_WINDOW } from '../src/state/time-window.js';
import { texts } from '../src/words/texts.js';

const SRC = new URL('../src/', import.meta.url).pathname;
const sources = globSync('**/*.{ts,tsx}', { cwd: SRC }).toSorted();
const withoutWords = sources.filter((path) => !path.startsWith('words/'));
const sourceOf = (path: string): string => readFileSync(join(SRC, path), 'utf8');

/** Attributes whose values no person sees. */
const TECHNICAL =
  /^(on[A-Z].*|class(Name)?|id|key|ref|type|role|name|href|d|viewBox|preserveAspectRatio|data-testid|testId|data-value|change|path|htmlFor|autoComplete|pattern|tone|unit|form|column|first|kind|cursorKey|scope|aria-(hidden|live|sort|labelledby|busy|pressed|expanded|invalid|describedby)|inputMode|strokeDasharray|[rxy]|[cr][xy]|width|height|value)$/;

type Node = Readonly<Record<string, unknown>> & { readonly type: string };
const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';

function childrenOf(node: Node): Node[] {
  return Object.values(node).flat().filter(isNode);
}

function nameOf(node: unknown): string {
  return isNode(node) && typeof node['name'] === 'string' ? node['name'] : '';
}

/** The text of a string literal or of a piece of a template; '' for other nodes. */
function literalOf(node: Node): string {
  if (node.type === 'JSXText' || (node.type === 'Literal' && typeof node['value'] === 'string')) {
    return String(node['value']);
  }
  if (node.type !== 'TemplateElement') return '';
  const { value } = node;
  return typeof value === 'object' && value !== null && 'raw' in value ? String(value.raw) : '';
}

function isComparison({ type, operator }: Node): boolean {
  return type === 'BinaryExpression' && (operator === '===' || operator === '!==');
}

/** Literals with letters that the expression shows as text. JSX inside it is searched separately. */
function shownLiterals(node: Node): string[] {
  if (node.type.startsWith('JSX') && node.type !== 'JSXExpressionContainer') return [];
  if (isComparison(node) || node.type === 'MemberExpression') return [];
  // Of a function only what it returns is shown.
  if (node.type === 'BlockStatement') return [];
  const own = literalOf(node);
  return [...(/\p{L}/u.test(own) ? [own] : []), ...childrenOf(node).flatMap(shownLiterals)];
}

function literalTexts(node: Node): string[] {
  if (node.type === 'JSXText') return /\p{L}/u.test(literalOf(node)) ? [literalOf(node).trim()] : [];
  if (node.type === 'JSXAttribute') {
    if (TECHNICAL.test(nameOf(node['name']))) return [];
    const { value } = node;
    return isNode(value) ? [...shownLiterals(value), ...literalTexts(value)] : [];
  }
  const inner = childrenOf(node).flatMap(literalTexts);
  const isChild = node.type === 'JSXElement' || node.type === 'JSXFragment';
  const containers = isChild ? childrenOf(node).filter(({ type }) => type === 'JSXExpressionContainer') : [];
  return [...containers.flatMap(shownLiterals), ...inner];
}

/** Two words in one literal are a text, wherever it is, but for attributes, imports and errors for developers. */
function sentences(node: Node): string[] {
  if (node.type === 'JSXAttribute' || node.type === 'ImportDeclaration') return [];
  if (node.type === 'ThrowStatement') return [];
  const own = literalOf(node);
  return [...(/\p{L}{2,} \p{L}{2,}/u.test(own) ? [own] : []), ...childrenOf(node).flatMap(sentences)];
}

function parse(path: string, source: string): Node {
  const { program, errors } = parseSync(path, source);
  assert.deepEqual(errors, [], path);
  assert.ok(isNode(program));
  return program;
}

test('components have no text of their own: not between tags, in attributes or in expressions', () => {
  const found = withoutWords
    .filter((path) => path.endsWith('.tsx'))
    .flatMap((path) => literalTexts(parse(path, sourceOf(path))).map((text) => `${path}: ${text}`));
  assert.deepEqual(found, []);
});

/** For a shell or a style sheet, by how they begin. */
const NOT_TEXTS = ['curl "$COLLECTOR', 'npx imscope', '11px '];

test('there are no sentences outside the texts', () => {
  const found = withoutWords.flatMap((path) =>
    sentences(parse(path, sourceOf(path)))
      .filter((text) => !NOT_TEXTS.some((begin) => text.startsWith(begin)))
      .map((text) => `${path}: ${text}`),
  );
  assert.deepEqual(found, []);
});

const found = (jsx: string): string[] => literalTexts(parse('a.tsx', `const a = ${jsx};`));

test('the search for literal texts finds them', () => {
  assert.deepEqual(found('<p>Hello</p>'), ['Hello']);
  assert.deepEqual(found('<p title="Hello" className="big" />'), ['Hello']);
  assert.deepEqual(found('<p aria-label={open ? `Close ${name}` : text} />'), ['Close ']);
  assert.deepEqual(found("<p>{open ? 'Close' : texts.open}</p>"), ['Close']);
  assert.deepEqual(found("<p>{kind === 'bars' && <b>{text}</b>} · {count}</p>"), []);
});

test('the terms in texts are those of the retention module', () => {
  const days = TERM_HOURS.requestLog / 24;
  assert.equal(TERM_WINDOW.from, `now-${days}d`);
  assert.equal(texts.window.preset.term.title, `Last ${days} days`);
  assert.equal(texts.firstRequest.completeTerm, `Last ${days} days`);
  for (const text of [
    texts.window.hint('UTC'),
    texts.window.clipped('1 h'),
    texts.window.problem.beginsTooEarly,
  ])
    assert.match(text, new RegExp(`Logs are kept ${days} days`));
});

test('no source of the dashboard spells a term', () => {
  const spelled = Object.values(TERM_HOURS).flatMap((hours) => [
    `${hours} ?h\\b`,
    `\\b${hours} \\* `,
    `\\b${hours / 24} ?d(ays?)?\\b`,
    `\\b${hours / 24} \\* `,
    `now-${hours}h`,
    `now-${hours / 24}d`,
    `\\b${(hours * 3_600_000).toString()}\\b`,
  ]);
  const pattern = new RegExp(spelled.join('|'));
  const found = sources.filter((path) => pattern.test(sourceOf(path).replaceAll('_', '')));
  assert.deepEqual(found, []);
});
