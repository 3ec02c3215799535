/** For tests of what lives in effects: the browser's Svelte, in Node, without any page. */
export default {
  name: 'without-a-page',
  viteEnvironment: 'client',
  setup: () => ({ teardown() {} }),
}
