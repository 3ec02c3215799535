/**
 * The service worker: keeps what one release consists of, so that the page opens without a network.
 * It answers nothing but the page's address and its hashed files. What is read and done goes past it, to the server.
 */
declare const self: ServiceWorkerGlobalScope

/** Written in by the build. */
const RELEASE = '__RELEASE__'
const FILES = JSON.parse('__FILES__') as string[]

const SHELLS = 'meilin-shell-'
const SHELL = SHELLS + RELEASE
const PAGE = '/'

/** A network that takes longer for a few bytes is as good as none. */
const PATIENCE = 4_000

/** Addresses that are not the page's. */
const NOT_OURS = /^\/(graphiql|graphql|session|health|metrics|assets|icons)(\/|$)|\.\w+$/

self.addEventListener('install', (event) => event.waitUntil(install()))
self.addEventListener('activate', (event) => event.waitUntil(activate()))
self.addEventListener('fetch', (event) => {
  const { request } = event
  const { origin, pathname } = new URL(request.url)
  if (request.method !== 'GET' || origin !== location.origin) return
  if (pathname.startsWith('/assets/')) event.respondWith(file(request))
  else if (request.mode === 'navigate' && !NOT_OURS.test(pathname)) event.respondWith(page(request))
})

/** A name with a hash is the same file in every release: what an older shell has is not fetched again. */
async function install() {
  const shell = await caches.open(SHELL)
  await Promise.all([putPage(shell), ...FILES.map((name) => put(shell, name))])
  await self.skipWaiting()
}

async function put(shell: Cache, name: string) {
  const answer = (await caches.match(name)) ?? (await fetch(name, { credentials: 'omit' }))
  if (!answer.ok) throw new Error(`${answer.status} ${name}`)
  await shell.put(name, answer)
}

/** While several servers are replaced one after the other, the next may still be the old one. */
async function putPage(shell: Cache) {
  const answer = await fetch(PAGE, { cache: 'no-store', credentials: 'omit' })
  if (!answer.ok || !(await answer.clone().text()).includes(RELEASE)) throw new Error('The page is of another release')
  await shell.put(PAGE, answer)
}

/** The shell before this one stays for pages that are still open with it; what is older goes. */
async function activate() {
  const others = (await caches.keys()).filter((name) => name.startsWith(SHELLS) && name !== SHELL)
  await Promise.all(others.slice(0, -1).map((name) => caches.delete(name)))
  await self.clients.claim()
}

/** By its whole name: a page is given the files of its own release, or none. */
async function file(request: Request): Promise<Response> {
  return (await caches.match(request.url)) ?? fetch(request)
}

/** The newest page there is; the kept one when the network, or the server behind it, is away. */
async function page(request: Request): Promise<Response> {
  const network = fetch(request)
  const late = new Promise<null>((resolve) => setTimeout(resolve, PATIENCE, null))
  const answer = await Promise.race([network, late]).catch(() => null)
  if (answer && answer.status < 500) return answer
  const kept = await (await caches.open(SHELL)).match(PAGE)
  return kept ?? network
}
