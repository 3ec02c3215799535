import { describe, expect, it } from 'vitest'
import { newerThan, rebased, withNewer, withOlder } from './feed'

const items = (...cursors: string[]) => cursors.map((cursor) => ({ cursor }))
const cursors = (list: { cursor: string }[]) => list.map((one) => one.cursor).join(' ')

describe('the journal as it is held', () => {
  it('takes what comes over the line on top', () => {
    expect(cursors(withNewer(items('b', 'a'), { cursor: 'c' }))).toBe('c b a')
  })

  it('shows nothing twice after the line was cut and resumed', () => {
    const resumed = items('b', 'c', 'd').reduce((held, item) => withNewer(held, item), items('b', 'a'))
    expect(cursors(resumed)).toBe('d c b a')
  })

  it('takes earlier pages below', () => {
    expect(cursors(withOlder(items('d', 'c'), items('b', 'a')))).toBe('d c b a')
    expect(cursors(withOlder(items('d', 'c'), items('c', 'b')))).toBe('d c b')
  })
})

describe('a page read anew', () => {
  it('keeps what came over the line meanwhile', () => {
    expect(cursors(rebased(items('d', 'c', 'b'), items('c', 'b', 'a')))).toBe('d c b a')
  })

  it('keeps the earlier items already looked at', () => {
    expect(cursors(rebased(items('c', 'b', 'a'), items('c', 'b')))).toBe('c b a')
  })

  it('leaves no gap: what does not reach the page is let go', () => {
    expect(cursors(rebased(items('b', 'a'), items('f', 'e', 'd')))).toBe('f e d')
  })

  it('survives an empty page', () => {
    expect(cursors(rebased(items('a'), []))).toBe('a')
    expect(cursors(rebased([], items('a')))).toBe('a')
  })
})

describe('what a page brings that was not there', () => {
  it.each([
    ['d c b', 'b a', 'd c'],
    ['b a', 'b a', ''],
    ['b', 'c b a', ''],
    // It does not reach down to what is held: all of it is new, its last item, too.
    ['f e d', 'b a', 'f e d'],
    ['f', 'a', 'f'],
    ['', 'a', ''],
  ])('%s over %s is %s', (page, held, newer) => {
    const list = (text: string) => items(...text.split(' ').filter(Boolean))
    expect(cursors([...newerThan(list(held), list(page))])).toBe(newer)
  })
})
