import { beforeEach, expect, it, vi } from 'vitest'

/** A page whose graphql-ws cannot be had: the network went between the page and it, or a release replaced it. */
vi.mock('graphql-ws', () => {
  throw new TypeError('Failed to fetch dynamically imported module')
})

const tab = Object.assign(new EventTarget(), { hidden: false })
vi.stubGlobal('document', tab)
vi.stubGlobal('navigator', { onLine: true })
vi.stubGlobal('addEventListener', () => {})

async function page() {
  vi.resetModules()
  const { line } = await import('./line.svelte')
  const { opening } = await import('../opening.svelte')
  const error = vi.fn()
  const begin = () => line.subscribe('id', { query: '' }, { next: vi.fn(), complete: vi.fn(), error })
  return { line, opening, error, begin }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
  tab.hidden = false
})

it('is said to be lost after a moment, and the next page is loaded anew', async () => {
  const { line, opening, error, begin } = await page()
  begin()
  await vi.waitFor(() => expect(error).toHaveBeenCalledTimes(1))
  expect([opening.failed, line.state]).toEqual([true, 'connecting'])
  vi.advanceTimersByTime(5_000)
  expect(line.state).toBe('lost')
})

it('may be tried again: whoever stands on it is told each time', async () => {
  const { error, begin } = await page()
  begin()
  await vi.waitFor(() => expect(error).toHaveBeenCalledTimes(1))
  begin()
  await vi.waitFor(() => expect(error).toHaveBeenCalledTimes(2))
})

it('is no word about the line of a tab that nobody looks at', async () => {
  const { line, opening, error, begin } = await page()
  tab.hidden = true
  tab.dispatchEvent(new Event('visibilitychange'))
  vi.advanceTimersByTime(60_000)
  begin()
  await vi.waitFor(() => expect(error).toHaveBeenCalledTimes(1))
  vi.advanceTimersByTime(60_000)
  expect([opening.failed, line.state]).toEqual([true, 'connecting'])
})

it('tells nobody who has left meanwhile', async () => {
  const { opening, error, begin } = await page()
  begin()()
  await vi.waitFor(() => expect(opening.failed).toBe(true))
  expect(error).not.toHaveBeenCalled()
})
