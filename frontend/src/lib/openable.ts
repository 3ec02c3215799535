import type { Component } from 'svelte'
import Unopened from './components/Unopened.svelte'
import { opening } from './opening.svelte'
import { release } from './release.svelte'

type Route = { default: Component }

/** Asked for again, the loader would leave out the style that was lost: only a page loaded anew has all of it. */
const lost = new Set<string>()

/**
 * The script of a page, or the face that says that it cannot be had: the router always arrives somewhere. Where a
 * release has replaced it, the page is loaded anew at the address it was going to.
 */
export async function openable(load: () => Promise<Route>): Promise<Route> {
  const name = String(load) // each call makes a function of its own, of the same text
  if (lost.has(name)) return { default: Unopened }
  opening.count += 1
  try {
    return await load()
  } catch {
    lost.add(name)
    if (await release.look()) return startAfresh(opening.to)
    opening.failed = true
    return { default: Unopened }
  } finally {
    opening.count -= 1
  }
}

const TRIED = 'meilin.fresh-start'

/** Once for each address and minute: a server that tells of a release it does not serve must not turn us in circles. */
function startAfresh(to: string): Promise<Route> | Route {
  const mark = `${Math.floor(Date.now() / 60_000)} ${to}`
  try {
    if (sessionStorage.getItem(TRIED) === mark) return { default: Unopened }
    sessionStorage.setItem(TRIED, mark)
  } catch {
    return { default: Unopened }
  }
  location.assign(to)
  return new Promise(() => {})
}
