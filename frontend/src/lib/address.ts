/** What an address says, and the one way in which it is written. */

const LARGEST = 2 ** 31 - 1

/** The number at the end of a short address; 0, which nothing has, where none can be meant. */
export function numberIn(text: string | undefined): number {
  const number = /^[1-9]\d*$/.test(text ?? '') ? Number(text) : 0
  return number <= LARGEST ? number : 0
}

/** Whether it looks like an id of the API, which looks it up; anything else is mistyped. */
export function isNodeId(text: string): boolean {
  try {
    return /^[A-Z][A-Za-z]{1,31}:[1-9]\d{0,18}$/.test(atob(text)) && btoa(atob(text)) === text
  } catch {
    return false
  }
}

export const isMonth = (text: string): boolean => /^[1-9]\d{3}-(0[1-9]|1[0-2])$/.test(text)

const FIXED = new Set(['c', 'v', 'e', 'n', 'l', 'votes', 'events', 'notices', 'ledger', 'publish'])

/** A path as we write it: no slash too many, each part encoded once, our own words small. */
export function settled(pathname: string): string {
  const parts = pathname.split('/').filter(Boolean).map(decoded)
  const fixed = (part: string, place: number) => place % 2 === 0 && FIXED.has(part.toLowerCase())
  return `/${parts.map((part, place) => (fixed(part, place) ? part.toLowerCase() : encodeURIComponent(part))).join('/')}`
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part // what is not UTF-8 stays as it was typed: the router must be able to read it
  }
}

/** Puts the address of the window right, before the router reads it. */
export function settle() {
  const path = settled(location.pathname)
  if (path !== location.pathname) history.replaceState(history.state, '', path + location.search + location.hash)
}

/** The address of this page to be passed on: without the step at which somebody stands, or where a link came from. */
export function toBeShared({ origin, pathname, search }: Pick<Location, 'origin' | 'pathname' | 'search'>): string {
  const month = new URLSearchParams(search).get('month') ?? ''
  return origin + pathname + (isMonth(month) ? `?month=${month}` : '')
}

let arrived = false

/** Browsers pass on what the canonical link says: it follows the page. Of the first the server has said it, or why not. */
export function nameCanonical() {
  let link = document.head.querySelector<HTMLLinkElement>('link[rel=canonical]')
  const first = !arrived
  arrived = true
  if (!link && first) return
  document.head.querySelector('meta[name=robots]')?.remove()
  if (!link) {
    link = document.createElement('link')
    link.rel = 'canonical'
    document.head.append(link)
  }
  link.href = toBeShared(location)
}
