import { beforeEach, describe, expect, it } from 'vitest'
import { Refusal } from '$lib/api/errors'
import { MonthEntries } from './entries.svelte'

interface Line {
  id: string
  struck?: boolean
}

const MAY = { slug: 'spring', month: '2026-05' }
const JUNE = { slug: 'spring', month: '2026-06' }

/** The book as the server keeps it, and what it was asked. */
let book: Record<string, Line[]> = {}
let asked: string[] = []
let answer: () => Promise<void>

const lines = (month: string, count: number): Line[] => Array.from({ length: count }, (_, n) => ({ id: `${month} ${n + 1}` }))
const page = (all: Line[], from: number, size: number) => ({
  entries: all.slice(from, from + size),
  pageInfo: { hasNextPage: from + size < all.length, endCursor: String(Math.min(from + size, all.length)) },
})
const first = ({ month }: typeof MAY) => page(book[month]!, 0, 20)

async function readAfter({ month }: typeof MAY, cursor: string | null) {
  asked.push(`${month} ${cursor}`)
  await answer()
  return page(book[month]!, Number(cursor), 50)
}

const open = (view = MAY) => {
  const list = new MonthEntries<Line>(readAfter)
  list.begin(view, first(view))
  return list
}

beforeEach(() => {
  book = { '2026-05': lines('5', 150), '2026-06': lines('6', 90) }
  asked = []
  answer = () => Promise.resolve()
})

describe('a month', () => {
  it('is read to its end, one page after the other, each once', async () => {
    const list = open()
    await Promise.all([list.everything(), list.more()])
    expect(list.all.map(({ id }) => id)).toEqual(book['2026-05']!.map(({ id }) => id))
    expect([list.whole, list.loading, asked]).toEqual([true, false, ['2026-05 20', '2026-05 70', '2026-05 120']])
  })

  it('unfolds from where it ended', async () => {
    const list = open()
    expect([await list.unfold(), list.shown]).toEqual([20, 70])
    expect([await list.unfold(), list.shown]).toEqual([70, 120])
  })

  it('that could not be read to its end knows that it is not whole, and why; the next try goes on there', async () => {
    const list = open()
    await list.more()
    answer = () => Promise.reject(new Refusal('UNREACHABLE'))
    await list.everything()
    expect([list.whole, list.refusal?.code, list.all.length, list.loading]).toEqual([false, 'UNREACHABLE', 70, false])
    answer = () => Promise.resolve()
    await list.everything()
    expect([list.whole, list.refusal, list.all.length]).toEqual([true, null, 150])
  })
})

describe('a month that is read anew', () => {
  it('stays unfolded, and keeps each line in its place until it has been read again', async () => {
    const list = open()
    await list.everything()
    list.shown = 120
    book['2026-05']!.unshift({ id: '5 new' })
    list.begin(MAY, first(MAY))
    expect([list.shown, list.all.length, list.whole]).toEqual([120, 151, false])
    expect(list.all.map(({ id }) => id)).toEqual(book['2026-05']!.map(({ id }) => id))
    await list.everything()
    expect(list.all.map(({ id }) => id)).toEqual(book['2026-05']!.map(({ id }) => id))
  })

  it('says the newest of each line', async () => {
    const list = open()
    await list.everything()
    book['2026-05']![140] = { id: '5 141', struck: true }
    list.begin(MAY, first(MAY))
    expect(list.all[140]?.struck).toBeUndefined()
    await list.everything()
    expect(list.all[140]?.struck).toBe(true)
  })

  it('lets go what was on its way for how it was', async () => {
    const list = open()
    let go = () => {}
    answer = () => new Promise((resolve) => (go = resolve))
    const old = list.more()
    book['2026-05'] = lines('5', 20)
    list.begin(MAY, first(MAY))
    go()
    await old
    expect([list.all.length, list.whole, list.loading]).toEqual([20, true, false])
  })
})

describe('another month', () => {
  it.each([JUNE, { slug: 'autumn', month: MAY.month }])('begins at its beginning (%o)', async (view) => {
    const list = open()
    await list.everything()
    list.shown = 120
    list.begin(view, first(view))
    expect([list.shown, list.all.length]).toEqual([20, 20])
  })

  it.each(['answered', 'refused'])('is not spoilt by what was on its way for the one before, %s', async (how) => {
    const list = open()
    const ends: (() => void)[] = []
    answer = () => new Promise((resolve, reject) => ends.push(how === 'answered' ? resolve : () => reject(new Refusal('UNREACHABLE'))))
    const old = list.more()
    list.begin(JUNE, first(JUNE))
    expect(list.loading).toBe(false)
    const own = list.more()
    ends[0]!()
    await old
    expect([list.refusal, list.loading, list.all.length]).toEqual([null, true, 20])
    ends[1]!()
    await own
    expect(asked).toEqual(['2026-05 20', '2026-06 20'])
    expect(list.all.length).toBe(how === 'answered' ? 70 : 20)
    expect(list.all.every(({ id }) => id.startsWith('6'))).toBe(true)
    expect([list.refusal?.code, list.loading]).toEqual([how === 'answered' ? undefined : 'UNREACHABLE', false])
  })
})
