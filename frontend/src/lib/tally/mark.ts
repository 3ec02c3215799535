import type { Need } from './reading'

/** Where the mark stands on a bar, from 0 to 1. */
export const markShare = ({ numerator, denominator }: Need): number => Number(numerator) / Number(denominator)

export const markPosition = (need: Need): string => `${100 * markShare(need)}%`

/** How far a part reaches along a bar, as a CSS percentage. */
export const percent = (share: number): string => `${(100 * share).toFixed(3)}%`

