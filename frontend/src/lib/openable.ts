import type { Component } from 'svelte'
import Unopened from './components/Unopened.svelte'
import { once } from './once'
import { opening } from './opening.svelte'
import { release } from './release.svelte'

type Route = { default: Component }

const UNOPENED: Route = { default: Unopened }

/** What a script led to, once for all who ask for it: the page is preloaded, and then the router loads it. */
const opened = new WeakMap<Promise<Route>, Promise<Route>>()

/**
 * The script of a page, or the face that says that it cannot be had: the router always arrives somewhere. Where a
 * release has replaced it, the page is loaded anew at the address it was going to.
 */
export function openable(load: () => Promise<Route>): Promise<Route> {
  const script = once(load)
  let route = opened.get(script)
  if (!route) opened.set(script, (route = open(script)))
  return route
}

async function open(script: Promise<Route>): Promise<Route> {
  opening.count += 1
  try {
    return await script
  } catch {
    if (!(await release.look())) return UNOPENED
    opened.set(script, Promise.resolve(UNOPENED)) // for whoever stops the browser on its way
    return startAfresh(opening.to)
  } finally {
    opening.count -= 1
  }
}

const TRIED = 'meilin.fresh-start'

/** Once for each address and minute: a server that tells of a release it does not serve must not turn us in circles. */
function startAfresh(to: string): Promise<Route> | Route {
  const mark = `${Math.floor(Date.now() / 60_000)} ${to}`
  try {
    if (sessionStorage.getItem(TRIED) === mark) return UNOPENED
    sessionStorage.setItem(TRIED, mark)
  } catch {
    return UNOPENED
  }
  location.assign(to)
  return new Promise(() => {})
}
