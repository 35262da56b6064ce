import { icons, type IconNode } from 'lucide';
import { expect, it } from 'vitest';
import { ICONS } from './icons.ts';

const attributes = (of: Record<string, string | number | undefined>) =>
  Object.entries(of)
    .map(([name, value]) => ` ${name}="${value}"`)
    .join('');
const drawn = (node: IconNode) => node.map(([tag, of]) => `<${tag}${attributes(of)}/>`).join('');

/** `npx vitest run --project unit icons --update` writes the file, after a line of `ICONS` was added. */
it('has each sign in the file that pages point into, as Lucide draws it', async () => {
  const symbols = Object.entries(ICONS).map(
    ([name, drawing]) => `<symbol id="${name}" viewBox="0 0 24 24">${drawn(icons[drawing])}</symbol>`,
  );
  const file = [
    '<!-- Drawings of Lucide (https://lucide.dev), ISC licence, © Lucide Contributors; some © 2013-2023 Cole Bemis, MIT licence. -->',
    '<svg xmlns="http://www.w3.org/2000/svg">',
    ...symbols,
    '</svg>\n',
  ];
  await expect(file.join('\n')).toMatchFileSnapshot('./icons.svg');
});
