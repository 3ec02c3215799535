import { grouped, whole } from '../format/amount'
import { markAt, type Measure, type Need } from './reading'

/** The amount at the mark: 1,102, 119,657.52; an exact half is shown as one: 532.5, 58,755.965. */
export function markAmount(measure: Measure, need: Need, of: bigint): string {
  const { value, half } = markAt(need, of)
  if (measure === 'heads') return `${whole(value)}${half ? '.5' : ''}`
  return `${grouped(value)}${half ? '5' : ''}`
}

/** Where the mark stands on a bar, from 0 to 1. */
export const markShare = ({ numerator, denominator }: Need): number => Number(numerator) / Number(denominator)

export const markPosition = (need: Need): string => `${100 * markShare(need)}%`

/** How far a part reaches along a bar, as a CSS percentage. */
export const percent = (share: number): string => `${(100 * share).toFixed(3)}%`

