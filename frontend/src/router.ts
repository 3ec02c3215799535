import { nameCanonical } from '$lib/address'
import { createRouter } from 'sv-router'
import { openable } from '$lib/openable'
import { opening } from '$lib/opening.svelte'
import { place } from '$lib/place'
import { release } from '$lib/release.svelte'

// The router looks for the word `import` in each of these.
export const { navigate, preload, route } = createRouter({
  '/': () => openable(() => import('./routes/communities/Communities.svelte')),
  '/c/:slug': () => openable(() => import('./routes/bulletin/Bulletin.svelte')),
  '/c/:slug/v/:number': () => openable(() => import('./routes/votes/Vote.svelte')),
  '/c/:slug/e/:number': () => openable(() => import('./routes/events/Event.svelte')),
  '/c/:slug/n/:number': () => openable(() => import('./routes/notices/Notice.svelte')),
  '/c/:slug/ledger': () => openable(() => import('./routes/ledger/Ledger.svelte')),
  '/c/:slug/l/:number': () => openable(() => import('./routes/moved/Moved.svelte')),
  '/c/:slug/votes/:id': () => openable(() => import('./routes/moved/Moved.svelte')),
  '/c/:slug/events/:id': () => openable(() => import('./routes/moved/Moved.svelte')),
  '/c/:slug/notices/:id': () => openable(() => import('./routes/moved/Moved.svelte')),
  '/c/:slug/publish': () => openable(() => import('./routes/publish/Publish.svelte')),
  '*': () => openable(() => import('./routes/NotFound.svelte')),
  hooks: {
    beforeLoad: ({ pathname, search, hash }) => leaving(pathname, search, hash),
    afterLoad() {
      nameCanonical()
      void place.arrive()
    },
  },
})

let shown = globalThis.location?.pathname ?? '/'

/**
 * Another page: if there is another release it is that one's, loaded by the browser; also where this one has holes.
 * What was typed is kept.
 */
async function leaving(pathname: string, search: Record<string, unknown> = {}, hash = '') {
  place.leave()
  const here = globalThis.location
  const query = new URLSearchParams(Object.entries(search).map(([name, value]) => [name, String(value)])).toString()
  const went = pathname === here.pathname // "back" has changed the address already
  opening.to = went && !query ? here.href : `${pathname}${query && `?${query}`}${hash && `#${hash.replace(/^#/, '')}`}`
  const elsewhere = pathname !== shown
  shown = pathname
  if (!elsewhere || !(release.waiting || opening.failed)) return
  const other = await release.look()
  if (other === null || !(other || opening.failed)) return
  here.assign(opening.to)
  await new Promise(() => {})
}
