import { flushSync } from 'svelte'
import { beforeEach, expect, it, vi } from 'vitest'
import { paper } from './print.svelte'
import { Steps } from './steps.svelte'

let there = $state(false)
beforeEach(() => {
  there = false
  vi.useFakeTimers()
})

/** One window, in which one page after the other is opened. */
function page() {
  let steps!: Steps
  const leave = $effect.root(() => {
    steps = new Steps(3, () => there)
  })
  flushSync()
  const parts = () => [1, 2, 3].filter((part) => steps.reached(part)).length
  const read = () => {
    there = true
    flushSync()
  }
  const step = () => {
    vi.advanceTimersToNextTimer()
    flushSync()
  }
  return { parts, read, step, leave }
}

it('nothing below the first screen is drawn before there is something to draw', () => {
  const { parts, leave } = page()
  expect([parts(), vi.getTimerCount()]).toEqual([1, 0])
  leave()
})

it('paper gets all of it', () => {
  const { parts, read, leave } = page()
  read()
  paper.on = true
  expect(parts()).toBe(3)
  paper.on = false
  expect(parts()).toBe(1)
  leave()
})

it('a page that is left before it is whole begins with its first screen again', () => {
  const first = page()
  first.read()
  first.step()
  first.leave()
  expect([first.parts(), vi.getTimerCount()]).toEqual([2, 0])
  there = false
  const again = page()
  expect(again.parts()).toBe(1)
  again.leave()
})

it('each part below is drawn by itself, and all at once for whoever comes back', () => {
  const { parts, read, step, leave } = page()
  read()
  expect(parts()).toBe(1)
  step()
  expect(parts()).toBe(2)
  step()
  expect([parts(), vi.getTimerCount()]).toEqual([3, 0])
  leave()
  there = false
  expect(page().parts()).toBe(3)
})
