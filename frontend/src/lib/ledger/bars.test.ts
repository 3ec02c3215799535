import { describe, expect, it } from 'vitest'
import { abs, sum } from '../format/amount'
import { monthBars, type Side } from './bars'

type Categories = { side: Side; amount: bigint }[]

const of = (income: number[], expense: number[]): Categories => [
  ...income.map((yuan) => ({ side: 'INCOME' as const, amount: BigInt(yuan * 100) })),
  ...expense.map((yuan) => ({ side: 'EXPENSE' as const, amount: BigInt(yuan * 100) })),
]

/** Always the same numbers; small ones, so that signs, zeros and equals meet often. */
function* months(): Generator<Categories> {
  let state = 9
  const next = (below: number) => (state = (state * 48271) % 2147483647) % below
  for (let round = 0; round < 3000; round++) {
    yield Array.from({ length: next(7) }, () => ({
      side: next(2) ? 'INCOME' : 'EXPENSE',
      amount: BigInt(next(19) - 9) * (next(4) ? 100n : 3333333333n),
    }))
  }
}

const near = (one: number, other: number) => expect(Math.abs(one - other)).toBeLessThan(1e-5)

describe('the bars of a month', () => {
  it('agree with its figures once a category is negative', () => {
    const { sides: [income, expense], gap, zero } = monthBars(of([1000, -400], [800]))
    expect([income.total, expense.total]).toEqual([60000n, 80000n])
    expect([zero, income.from, income.to, expense.from, expense.to]).toEqual([0, 0, 0.75, 0, 1])
    expect(income.parts).toEqual([{ from: 0, to: 0.75 }])
    expect(gap).toEqual({ side: 'INCOME', from: 0.75, to: 1 })
  })

  it('show each category as long as none is negative', () => {
    const { sides: [income, expense], gap } = monthBars(of([300, 100, 0], [200]))
    expect(income.parts).toEqual([{ from: 0, to: 0.75 }, { from: 0.75, to: 1 }])
    expect(expense.parts).toEqual([{ from: 0, to: 0.5 }])
    expect(gap).toEqual({ side: 'EXPENSE', from: 0.5, to: 1 })
  })

  it('lie left of zero where more was taken back than entered', () => {
    const { sides: [income, expense], gap, zero } = monthBars(of([100], [-300]))
    expect([zero, expense.from, expense.to, income.from, income.to]).toEqual([0.75, 0, 0.75, 0.75, 1])
    expect([expense.negative, income.negative, gap]).toEqual([true, false, null])
    const both = monthBars(of([-100], [-400]))
    expect([both.zero, both.sides[0].from, both.sides[1].from]).toEqual([1, 0.75, 0])
  })

  it('are nothing where nothing happened, or all of it was taken back', () => {
    for (const categories of [[], of([], []), of([5, -5], [7, -7])]) {
      const { sides, gap } = monthBars(categories)
      expect(gap).toBeNull()
      for (const bar of sides) expect([bar.to - bar.from, bar.parts]).toEqual([0, []])
    }
  })

  it('are true for every combination of signs', () => {
    for (const categories of months()) {
      const { zero, sides, gap } = monthBars(categories)
      const lengths = sides.map(({ from, to }) => to - from)
      const scale = Math.max(...sides.map(({ total }) => Number(total)), 0) - Math.min(...sides.map(({ total }) => Number(total)), 0)
      for (const bar of sides) {
        const { side, from, to, total, negative, parts } = bar
        expect(total).toBe(sum(categories.filter((one) => one.side === side).map(({ amount }) => amount)))
        expect(0 <= from && from <= to && to <= 1).toBe(true)
        expect(negative).toBe(total < 0n)
        near(negative ? to : from, zero)
        if (scale) near(to - from, Number(abs(total)) / scale)
        near(parts.reduce((length, part) => length + part.to - part.from, 0), to - from)
        let end = from
        for (const part of parts) {
          expect(part.from).toBe(end)
          end = part.to
        }
      }
      const [income, expense] = sides
      if (income.total === expense.total) expect(lengths[0]).toBe(lengths[1])
      if (gap) {
        const [shorter, longer] = gap.side === 'INCOME' ? [income, expense] : [expense, income]
        expect(shorter.total < longer.total).toBe(true)
        expect([gap.from, gap.to]).toEqual([shorter.to, longer.to])
      } else {
        expect(income.total === expense.total || income.negative || expense.negative).toBe(true)
      }
    }
  })
})
