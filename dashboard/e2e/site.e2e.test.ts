import { segmentOf } from '@lanewatch/query-api/contract';
import type { BrowserContext, Page } from 'playwright-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { eventually } from './eventually.ts';
import { TOO_MANY_LINKS } from './fake-query-api.ts';
import { startStage, type Stage } from './harness.ts';
import { onStage } from './on-stage.ts';
import { fingerprintFor } from './organisation.ts';

let stage: Stage;
let context: BrowserContext;
let page: Page;

async function visit(options: Parameters<Stage['visitor']>[0] = {}): Promise<void> {
  context = await stage.visitor(options);
  page = await context.newPage();
}
onStage(async (its) => {
  stage = its;
  await visit();
  return () => context.close();
});

const LANE = `/lanes/${fingerprintFor('sk-ant-...C001')}`;
const PAGES = [
  '/',
  '/keys',
  LANE,
  '/ledger',
  '/users',
  '/users/mira.santos',
  '/sessions',
  `/sessions/${fingerprintFor('sk-ant-...C001').slice(0, 8)}-session-0`,
  '/findings',
  `/findings/R01-${'0'.repeat(24)}`,
  '/credentials',
  '/credentials/new',
  '/credentials/new?method=fingerprint',
  '/credentials/new?method=hint',
  '/credentials/create?template=collector',
  '/credentials/import',
  '/credentials/cred-1',
  '/credentials/cred-1/edit',
  '/credentials/cred-1/rotate',
  '/credentials/cred-collector-ci/regenerate',
  '/credentials/cred-1/revoke',
  '/sign-in',
  '/no-such-page',
];

describe('signing in', () => {
  it('exchanges the link for a cookie that scripts can’t read, and leaves no secret in the address', async () => {
    await context.close();
    await visit({ signedIn: false });
    await page.goto(`/sign-in?link=${stage.fake.link}`);
    await page.getByRole('button', { name: 'Sign in with this link' }).click();
    await page.waitForURL('/');
    expect(new URL(page.url()).pathname + new URL(page.url()).search).toBe('/');
    const cookie = (await context.cookies()).find((one) => one.name === 'lanewatch_session');
    expect(cookie).toMatchObject({ value: stage.fake.session, httpOnly: true, sameSite: 'Lax', path: '/' });
    expect(await page.evaluate(() => document.cookie)).not.toContain('lanewatch_session');
  });

  it('leads a first admin to what was observed, and to who they are where nothing was or they must say it', async () => {
    const stored = stage.fake.org.rows;
    for (const [setup, rows, path] of [
      ['optional', stored, '/'],
      ['optional', [] as typeof stored, '/welcome'],
      ['required', stored, '/welcome'],
    ] as const) {
      stage.fake.setup = setup;
      stage.fake.org.rows = rows;
      await context.close();
      await visit({ signedIn: false });
      await page.goto(`/sign-in?link=${stage.fake.link}`);
      await page.getByRole('button', { name: 'Sign in with this link' }).click();
      await page.waitForURL((url) => url.pathname === path);
    }
  });

  it('tells too many attempts from a wrong link', async () => {
    await context.close();
    await visit({ signedIn: false });
    await page.goto(`/sign-in?link=${TOO_MANY_LINKS}`);
    await page.getByRole('button', { name: 'Sign in with this link' }).click();
    expect(await page.getByRole('alert').innerText()).toContain('Wait a minute');
  });

  it('says how to get a fresh link when one is wrong or used', async () => {
    await context.close();
    await visit({ signedIn: false });
    await page.goto('/sign-in?link=used-before');
    await page.getByRole('button', { name: 'Sign in with this link' }).click();
    await page.getByRole('heading', { name: 'Sign-in failed' }).waitFor();
    expect(await page.locator('main').innerText()).toContain('npm run -s lanewatch -- sign-in');
  });

  it.each(['/', '/ledger', '/credentials/new', LANE])('leads to the sign-in page from %s', async (path) => {
    await context.close();
    await visit({ signedIn: false });
    await page.goto(path);
    expect(new URL(page.url()).pathname).toBe('/sign-in');
    expect(await page.locator('main').innerText()).toContain('npm run -s lanewatch -- sign-in');
  });

  it('says that the session has ended when query-api no longer knows it', async () => {
    await context.addCookies([{ name: 'lanewatch_session', value: 'forgotten', url: stage.url }]);
    await page.goto('/');
    await page.getByRole('heading', { name: 'Your session has ended' }).waitFor();
    expect(await page.getByRole('navigation', { name: 'Main' }).count()).toBe(0);
    expect(await page.getByText('Account', { exact: true }).count()).toBe(0);
    expect(await page.getByRole('button', { name: 'Sign out' }).count()).toBe(0);
  });

  it('leads an open page to the sign-in page when its session ends', async () => {
    await page.goto('/');
    await page.getByText('Live', { exact: true }).waitFor();
    await context.addCookies([{ name: 'lanewatch_session', value: 'ended', url: stage.url }]);
    stage.fake.hangUp();
    await page.getByRole('heading', { name: 'Your session has ended' }).waitFor();
  });

  it('ends the session', async () => {
    await page.goto('/');
    await page.getByText('Account', { exact: true }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect((await context.cookies()).some((one) => one.name === 'lanewatch_session')).toBe(false);
  });
});

describe('every page', () => {
  it('fits 360 px without sideways scrolling', async () => {
    await page.setViewportSize({ width: 360, height: 800 });
    for (const path of PAGES) {
      await page.goto(path);
      const beyond = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(beyond, path).toBe(0);
      const cut = await page.evaluate(() => {
        const tables = [...document.querySelectorAll('table')].filter((one) => one.checkVisibility());
        return tables.filter((one) => one.scrollWidth > one.parentElement!.clientWidth).length;
      });
      expect(cut, path).toBe(0);
    }
  });

  it('keeps every column in sight where a window is half a screen, and scrolls sideways nowhere', async () => {
    for (const row of stage.fake.org.rows) if (row.hint.endsWith('Kw2A')) row.hint = `sk-${'W'.repeat(38)}...Kw2A`;
    for (const width of [900, 1000, 1100, 1190, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      for (const path of ['/', '/credentials?status=all', '/findings', `/findings/R01-${'0'.repeat(24)}`]) {
        await page.goto(path);
        const beyond = await page.evaluate(() =>
          [document.documentElement, ...document.querySelectorAll('table')].map((one) => {
            const room = one === document.documentElement ? one : one.parentElement!;
            return one.checkVisibility() ? one.scrollWidth - room.clientWidth : 0;
          }),
        );
        expect(Math.max(...beyond), `${path} at ${width}`).toBeLessThanOrEqual(0);
      }
    }
  });

  it('has a title of its own', async () => {
    const titles = new Set<string>();
    for (const path of [
      '/',
      LANE,
      '/ledger',
      '/findings',
      `/findings/R01-${'0'.repeat(24)}`,
      '/credentials',
      '/credentials/new',
      '/credentials/create',
      '/credentials/import',
      '/credentials/cred-1',
      '/credentials/cred-1/edit',
      '/credentials/cred-1/rotate',
      '/credentials/cred-collector-ci/regenerate',
      '/credentials/cred-1/revoke',
      '/sign-in',
      '/no-such-page',
    ]) {
      await page.goto(path);
      titles.add(await page.title());
    }
    expect(titles.size).toBe(16);
  });

  it('runs under its content security policy without one violation or fault', async () => {
    const faults: string[] = [];
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().includes('404')) faults.push(message.text());
    });
    for (const path of PAGES) {
      const response = await page.goto(path, { waitUntil: 'load' });
      const headers = response!.headers();
      expect(headers['content-security-policy'], path).toMatch(/script-src 'self' 'nonce-/);
      expect(headers['content-security-policy'], path).not.toMatch(/unsafe-inline|unsafe-eval/);
      expect(headers, path).toMatchObject({
        'x-frame-options': 'DENY',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'same-origin',
      });
      await page.waitForFunction(() => document.readyState === 'complete');
    }
    expect(faults).toEqual([]);
  });

  it.each(['light', 'dark'] as const)('keeps text readable in %s: contrast of at least 4.5', async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    for (const path of PAGES) {
      await page.goto(path);
      expect(await page.evaluate(poorContrast), path).toEqual([]);
    }
  });
});

/** Runs in the page: texts whose colour is too close to what lies behind them. */
function poorContrast(): string[] {
  const parse = (colour: string) => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (rgb: number[]) => {
    const [red, green, blue] = rgb.map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
  };
  const behind = (element: Element | null): number[] => {
    for (let one = element; one; one = one.parentElement) {
      const colour = parse(getComputedStyle(one).backgroundColor);
      if (colour.length === 3 || (colour[3] ?? 0) > 0.99) return colour.slice(0, 3);
    }
    return [255, 255, 255];
  };
  const poor: string[] = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim());
    if (!own || !element.checkVisibility() || element.closest(':disabled, noscript, option')) continue;
    const [a, b] = [luminance(parse(getComputedStyle(element).color).slice(0, 3)), luminance(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push(`${element.tagName} ${ratio.toFixed(2)} ${element.textContent?.trim().slice(0, 30)}`);
  }
  return poor;
}

describe('the theme', () => {
  it('is chosen by hand, remembered, and already right in the server’s markup', async () => {
    await page.emulateMedia({ colorScheme: 'light' });
    await page.goto('/');
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground();
    await page.getByText('Display').click();
    await page.getByRole('button', { name: 'dark', exact: true }).click();
    await eventually(ground).not.toBe(light);
    const response = await page.reload();
    expect(await response!.text()).toContain('<html lang="en" data-theme="dark" data-density="comfortable">');
  });
});

describe('relative times', () => {
  it.each([10, -10])('go by the server’s clock, also where the browser’s is %d min off', async (minutes) => {
    await context.close();
    await visit({ timezoneId: 'Asia/Tokyo' });
    await page.clock.install({ time: Date.now() + minutes * 60_000 });
    await page.goto('/credentials/cred-1');
    // Offered by the page's own JavaScript, which keeps the time from then on.
    await page.locator('button[value="Asia/Tokyo"]').waitFor({ state: 'attached' });
    const lastUsed = page.locator('dt:text-is("Last used") + dd');
    expect(await lastUsed.innerText()).toBe('4 min ago');
    await page.clock.runFor(120_000);
    await eventually(() => lastUsed.innerText()).toBe('6 min ago');
  });
});

describe('the keyboard', () => {
  it('skips to the content first, and finds what searches with a slash', async () => {
    await page.goto('/keys');
    await page.getByText('Live', { exact: true }).waitFor();
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to content');
    await page.keyboard.press('Enter');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('content');
    await page.keyboard.press('/');
    expect(await page.evaluate(() => document.activeElement?.getAttribute('name'))).toBe('q');
    await page.keyboard.type('a/b');
    expect(await page.getByRole('searchbox').inputValue()).toBe('a/b');
    // Where a page has no list to search, a slash searches for anything.
    await page.goto('/');
    await page.getByText('Live', { exact: true }).waitFor();
    await page.keyboard.press('/');
    await page.getByRole('dialog', { name: 'Command palette' }).waitFor();
    await page.keyboard.type('a/b');
    expect(await page.getByRole('combobox').inputValue()).toBe('a/b');
  });

  it.each([1280, 360])('shows where the focus is on everything that takes it, %d px wide', async (width) => {
    await page.setViewportSize({ width, height: 800 });
    await page.goto('/');
    await page.getByText('Live', { exact: true }).waitFor();
    for (let step = 0; step < 50; step += 1) {
      await page.keyboard.press('Tab');
      const unseen = await page.evaluate(() => {
        const element = document.activeElement;
        if (!element || element === document.body) return null;
        const { width, height } = element.getBoundingClientRect();
        for (let one: Element | null = element; one; one = one.parentElement)
          if (getComputedStyle(one).clipPath !== 'none') return `clipped: ${element.outerHTML.slice(0, 80)}`;
        if (width < 8 || height < 8) return element.outerHTML.slice(0, 80);
        return getComputedStyle(element).outlineStyle === 'none' ? element.outerHTML.slice(0, 80) : null;
      });
      expect(unseen).toBeNull();
    }
  });
});

describe('text from events', () => {
  it('is shown inert wherever it appears', async () => {
    const hostile = `"><img src=x onerror="window.pwned=1"><script>window.pwned=1</script>{{7*7}}\u202e\u0000\u001b[31mjavascript:alert(1)${'W'.repeat(300)}`;
    const long = `<b onclick="window.pwned=1">${'W'.repeat(10_000)}`;
    const { rows, credentials, findings, deadLetters } = stage.fake.org;
    stage.fake.org.text = hostile;
    Object.assign(deadLetters[0]!, { reason: hostile, replayed_at: new Date().toISOString(), replayed_by: hostile });
    const asked = { sql: `SELECT '${hostile}' FROM usage`, parameters: { repo: hostile } };
    const at = new Date().toISOString();
    const kept = { id: 'query-1', title: hostile, owner: hostile, is_own: false, is_shared: true, chart: null };
    stage.fake.desk.saved.push({ ...asked, ...kept, created_at: at, updated_at: at });
    stage.fake.desk.ran.push({ ...asked, max_rows: 10 });
    for (const row of rows.filter((one) => one.hint.endsWith('C001'))) {
      Object.assign(row, {
        user: long,
        collector: hostile,
        ip: hostile,
        agent: hostile,
        agent_version: hostile,
        model: hostile,
        repo: hostile,
        branch: hostile,
        org: hostile,
        hint: hostile,
        session: hostile,
        host: hostile,
        outcome: hostile,
        operation: hostile,
        flags: [hostile],
      });
    }
    Object.assign(findings[0]!, { hint: hostile, org: hostile, facts: { user: hostile, people: [hostile] } });
    Object.assign(
      credentials.find((one) => one.id === 'cred-1')!,
      { name: hostile, owner: hostile, org: hostile },
    );
    page.on('dialog', () => expect.fail('a dialog opened'));
    await page.setViewportSize({ width: 360, height: 800 });
    const named = segmentOf(hostile);
    const addresses = ['/users', '/endpoints', '/agents', '/repositories', '/models', '/sessions', '/organizations'];
    const hostilePages = [
      ...addresses.flatMap((address) => [address, `${address}/${named}`]),
      `/ledger?user=${encodeURIComponent(hostile)}`,
      `/ledger?q=${encodeURIComponent(hostile)}`,
      ...[
        '/collectors',
        '/collectors/dead-letters/3-4711-0',
        '/rules',
        '/rules/R09',
        '/channels',
        '/channels/channel-1',
      ],
      ...['/imports', '/usage', '/spend', '/spend?by=user', '/spend?by=agent', '/spend?by=repo', '/spend?by=org'],
      ...[`/spend?user=${encodeURIComponent(hostile)}`, '/sql', '/sql?query=query-1'],
      `/sql?sql=${encodeURIComponent(asked.sql)}`,
    ];
    for (const path of [...PAGES, ...hostilePages]) {
      const response = await page.goto(path);
      expect(response!.status(), path).toBeLessThan(500);
      await page.evaluate(() => document.querySelectorAll('details').forEach((one) => (one.open = true)));
      expect(await page.evaluate(() => Reflect.get(window, 'pwned')), path).toBeUndefined();
      expect(await page.locator('img').count(), path).toBe(0);
      const shown = await page.locator('main').innerText();
      expect(shown, path).not.toContain('\u202e');
      expect(shown, path).not.toContain('\u0000');
      const beyond = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(beyond, path).toBe(0);
    }
    await page.goto('/');
    expect(await page.locator('main').innerText()).toContain('"><img src=x onerror=');
  });
});

describe('when things fail', () => {
  it('refuses a form that another site sends', async () => {
    const response = await fetch(`${stage.url}/credentials/cred-1/revoke`, {
      method: 'POST',
      headers: {
        cookie: `lanewatch_session=${stage.fake.session}`,
        origin: 'https://elsewhere.example',
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: 'reason=x',
    });
    expect(response.status).toBe(403);
    expect(stage.fake.org.credentials.find((one) => one.id === 'cred-1')?.status).toBe('active');
  });

  it('answers its probes', async () => {
    expect((await fetch(`${stage.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${stage.url}/readyz`)).status).toBe(200);
  });
});

describe('while the ledger is away', () => {
  beforeEach(() => {
    stage.fake.ledgerAway = true;
    return () => (stage.fake.ledgerAway = false);
  });

  it.each(['/', LANE, '/ledger', '/findings'])('says on %s what is wrong and leads to the registry', async (path) => {
    const response = await page.goto(path);
    expect(response?.status()).toBe(503);
    const text = await page.locator('main').innerText();
    expect(text).toContain('The ledger (ClickHouse) does not respond');
    expect(text).toContain('tries again by itself');
    expect(text).not.toContain('nothing is lost');
    await page.getByRole('link', { name: 'registry', exact: true }).click();
    await page.getByRole('heading', { name: 'Registry' }).waitFor();
  });

  it('shows the page as soon as the ledger answers, without using the session', async () => {
    await page.goto('/ledger');
    await page.getByText('tries again by itself').waitFor();
    stage.fake.received.length = 0;
    stage.fake.ledgerAway = false;
    await page.getByRole('heading', { name: 'Ledger' }).waitFor();
    expect(stage.fake.received.length).toBeGreaterThan(0);
    expect(stage.fake.received.every(({ unattended }) => unattended)).toBe(true);
  });

  it('replaces figures that a live page can’t bring up to date, and brings them back', async () => {
    stage.fake.ledgerAway = false;
    await page.goto('/');
    await page.getByText('Live', { exact: true }).waitFor();
    stage.fake.ledgerAway = true;
    stage.fake.org.rows[0]!.stored_at = new Date(Date.now() + 1_000).toISOString();
    stage.fake.announce();
    await page.getByRole('heading', { name: 'A store does not answer' }).waitFor();
    stage.fake.ledgerAway = false;
    await page.getByRole('heading', { name: 'API keys', exact: true }).waitFor();
  });

  it('is asked again without JavaScript, too', async () => {
    await context.close();
    await visit({ javaScriptEnabled: false });
    await page.goto('/');
    expect(await page.locator('meta[http-equiv="refresh"]').count()).toBe(1);
  });
});

describe('without query-api', () => {
  it('says so on a page that can be tried again, and reports itself as not ready', async () => {
    const lonely = await startStage();
    try {
      await lonely.fake.close();
      const visitor = await (await lonely.visitor()).newPage();
      const response = await visitor.goto('/');
      expect(response?.status()).toBe(502);
      await visitor.getByRole('heading', { name: 'query-api is not available' }).waitFor();
      expect(await visitor.getByRole('link', { name: 'Try again' }).getAttribute('href')).toBe('/');
      expect((await fetch(`${lonely.url}/readyz`)).status).toBe(502);
      expect((await fetch(`${lonely.url}/healthz`)).status).toBe(200);
    } finally {
      await lonely.close();
    }
  });
});
