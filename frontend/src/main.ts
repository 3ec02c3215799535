import './tokens.css'
import './base.css'
import './tally.css'
import './shell/shell.css'
import { mount } from 'svelte'
import App from './App.svelte'
import { release } from '$lib/release.svelte'
import { elderMode } from '$lib/settings.svelte'
import { place } from '$lib/place'
import { settle } from '$lib/address'
import { preload } from './router'
import { language } from '$lib/words/language.svelte'

const root = document.documentElement

/** What index.html shows stays until there is something to show instead; it says so when there is nothing. */
async function begin() {
  settle()
  elderMode.begin()
  place.begin()
  // The words and the route are fetched side by side.
  void preload(location.pathname as '/')
  await language.begin()
  const page = document.getElementById('page')!
  page.replaceChildren()
  mount(App, { target: page })
  root.dataset['boot'] = 'begun'
  release.begin()
}

function fail() {
  root.dataset['boot'] = 'failed'
  document.getElementById('late')?.focus()
  addEventListener('online', () => location.reload(), { once: true })
}

// A browser that is too old has been told so; it would only break on the way.
if (root.dataset['boot'] !== 'old') begin().catch(fail)
