import { share, sum } from '../format/amount'

/**
 * The picture of a month. Both bars lie on one axis with one zero, and each ends exactly at its figure, whatever
 * the signs: a category that took back more than it entered shortens the bar, and a side that did lies left of
 * zero. Positions run from 0 to 1.
 */
export type Side = 'INCOME' | 'EXPENSE'

export interface Part {
  from: number
  to: number
}

export interface SideBar extends Part {
  side: Side
  total: bigint
  /** More was taken back than entered: the bar lies left of zero. */
  negative: boolean
  /** By category, as long as none is negative: then there is no part of the bar that would be one category's. */
  parts: Part[]
}

export interface MonthBars {
  zero: number
  sides: [SideBar, SideBar]
  /** What one side has more than the other, drawn behind the shorter bar; none where a side is negative. */
  gap: (Part & { side: Side }) | null
}

export function monthBars(categories: readonly { side: Side; amount: bigint }[]): MonthBars {
  const of = (side: Side) => categories.filter((one) => one.side === side).map(({ amount }) => amount)
  const income = sum(of('INCOME'))
  const expense = sum(of('EXPENSE'))
  const less = income < expense ? income : expense
  const more = income < expense ? expense : income
  const low = less < 0n ? less : 0n
  const span = (more > 0n ? more : 0n) - low
  const at = (value: bigint) => share(value - low, span)

  function bar(side: Side, total: bigint): SideBar {
    const negative = total < 0n
    const [from, to] = negative ? [at(total), at(0n)] : [at(0n), at(total)]
    return { side, total, negative, from, to, parts: total === 0n ? [] : parts(of(side), from, to) }
  }

  function parts(amounts: bigint[], from: number, to: number): Part[] {
    if (amounts.some((amount) => amount < 0n)) return [{ from, to }]
    const ends = amounts.map((_, place) => at(sum(amounts.slice(0, place + 1))))
    return ends.map((end, place) => ({ from: ends[place - 1] ?? from, to: end })).filter((part) => part.to > part.from)
  }

  const side = income < expense ? 'INCOME' : 'EXPENSE'
  return {
    zero: at(0n),
    sides: [bar('INCOME', income), bar('EXPENSE', expense)],
    gap: less < 0n || less === more ? null : { side, from: at(less), to: at(more) },
  }
}
