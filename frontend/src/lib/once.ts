import { opening } from './opening.svelte'

/** What was asked for, by the address of its script. */
const asked = new Map<string, Promise<unknown>>()
let withoutStyle: Promise<never> | undefined

/**
 * A part of the page, fetched once: whoever asks again gets the same promise, under way, here or lost. The build's
 * loader remembers a style that it has begun to fetch, and lets whoever comes next pass without it, also another part
 * that shares it: once a style is lost, nothing new is had until the page is loaded anew.
 */
export function once<Part>(load: () => Promise<Part>): Promise<Part> {
  // Each call makes a function of its own; what it imports is in its text.
  const text = String(load)
  const name = /import\((.+?)\)/.exec(text)?.[1] ?? text
  const known = (asked.get(name) as Promise<Part> | undefined) ?? withoutStyle
  if (known) return known
  const part = load()
  asked.set(name, part)
  part.catch((error) => {
    opening.failed = true
    if (/CSS/.test(error)) withoutStyle = part as Promise<never>
  })
  return part
}
