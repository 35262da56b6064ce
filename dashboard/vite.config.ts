import { dirname, relative } from 'node:path';
import adapter from '@sveltejs/adapter-node';
import { sveltekit } from '@sveltejs/kit/vite';
import { defineConfig } from 'vite';

/** Where the repository lies must not decide which files go together. */
const WORKSPACE = dirname(import.meta.dirname);

export default defineConfig({
  plugins: [
    sveltekit({
      adapter: adapter({ envPrefix: 'DASHBOARD_' }),
      // Scripts and styles only from our own files or with the page's nonce. Event text is attacker-controlled: should any of
      // it ever escape as markup, it still runs nothing and reaches nobody.
      csp: {
        mode: 'nonce',
        directives: {
          'default-src': ['none'],
          'script-src': ['self'],
          'style-src': ['self'],
          // The style attributes allowed are two, by their hashes: that of kit's own route announcer, and bits-ui's `display: contents;`.
          'style-src-attr': [
            'unsafe-hashes',
            'sha256-S8qMpvofolR8Mpjy4kQvEm7m1q8clzU4dfDH0AmvZjo=',
            'sha256-iaOezIDcQIoxCULa6FBKKuLUu09R7kG+Mlu+JVfU3Rw=',
          ],
          'img-src': ['self', 'data:'],
          'font-src': ['self'],
          'connect-src': ['self'],
          'manifest-src': ['self'],
          'form-action': ['self'],
          'base-uri': ['none'],
          'frame-ancestors': ['none'],
        },
      },
      // The adapter takes every request for https, so kit's own comparison of origins would refuse plain-http loopback.
      // hooks.server.ts compares the hosts instead, and refuses what comes from elsewhere.
      csrf: { trustedOrigins: ['*'] },
      // A fixed name: the build of one commit is the same on every replica.
      version: { pollInterval: 0 },
    }),
  ],
  // A small face written into the style sheet as data: would be refused by our own policy.
  build: { assetsInlineLimit: 0 },
  environments: {
    client: {
      build: {
        rolldownOptions: {
          output: {
            // A file for each component would be sixty requests and twenty style sheets before a page is whole. Small ones are
            // put together with what nearly the same pages need; large ones stay with the pages that need them.
            codeSplitting: {
              groups: [
                { name: 'common', minShareCount: 12, test: (id) => !/zod|contract/.test(relative(WORKSPACE, id)) },
              ],
            },
          },
        },
      },
    },
  },
  // The contracts are TypeScript files of the workspace: they are compiled into the server, not resolved when it runs.
  ssr: { noExternal: [/^@lanewatch\//, 'bits-ui'] },
});
