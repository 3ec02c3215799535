import { createRouter } from 'sv-router'

export const { navigate, preload, route } = createRouter({
  '/': () => import('./routes/communities/Communities.svelte'),
  '/c/:slug': () => import('./routes/bulletin/Bulletin.svelte'),
  '/c/:slug/votes/:id': () => import('./routes/votes/Vote.svelte'),
  '/c/:slug/events/:id': () => import('./routes/events/Event.svelte'),
  '/c/:slug/ledger': () => import('./routes/ledger/Ledger.svelte'),
  '/c/:slug/notices/:id': () => import('./routes/notices/Notice.svelte'),
  '/c/:slug/publish': () => import('./routes/publish/Publish.svelte'),
  '*': () => import('./routes/NotFound.svelte'),
  hooks: {
    // After a new release the old chunks are gone: one fresh start fetches the new page.
    onError: () => startAfresh(),
  },
})

function startAfresh() {
  const tried = 'meilin.fresh-start'
  const last = Number(sessionStorage.getItem(tried) ?? 0)
  if (Date.now() - last < 60_000) return
  sessionStorage.setItem(tried, String(Date.now()))
  location.reload()
}
