import { nameCanonical } from '$lib/address'
import { createRouter } from 'sv-router'

export const { navigate, preload, route } = createRouter({
  '/': () => import('./routes/communities/Communities.svelte'),
  '/c/:slug': () => import('./routes/bulletin/Bulletin.svelte'),
  '/c/:slug/v/:number': () => import('./routes/votes/Vote.svelte'),
  '/c/:slug/e/:number': () => import('./routes/events/Event.svelte'),
  '/c/:slug/n/:number': () => import('./routes/notices/Notice.svelte'),
  '/c/:slug/ledger': () => import('./routes/ledger/Ledger.svelte'),
  '/c/:slug/l/:number': () => import('./routes/moved/Moved.svelte'),
  '/c/:slug/votes/:id': () => import('./routes/moved/Moved.svelte'),
  '/c/:slug/events/:id': () => import('./routes/moved/Moved.svelte'),
  '/c/:slug/notices/:id': () => import('./routes/moved/Moved.svelte'),
  '/c/:slug/publish': () => import('./routes/publish/Publish.svelte'),
  '*': () => import('./routes/NotFound.svelte'),
  hooks: {
    // After a new release the old chunks are gone: one fresh start fetches the new page.
    onError: () => startAfresh(),
    afterLoad: nameCanonical,
  },
})

function startAfresh() {
  const tried = 'meilin.fresh-start'
  const last = Number(sessionStorage.getItem(tried) ?? 0)
  if (Date.now() - last < 60_000) return
  sessionStorage.setItem(tried, String(Date.now()))
  location.reload()
}
