import type { TallyReading } from './reading'

/** Of several questions the one that still needs most: the picture on the board stands for the whole vote. */
export function hindmost(readings: readonly TallyReading[]): TallyReading | undefined {
  const shortfall = ({ participation: { heads, area } }: TallyReading) => {
    const part = (missing: bigint, of: bigint) => (of > 0n ? (missing * 1_000_000n) / of : 0n)
    const [h, a] = [part(heads.missing, heads.of), part(area.missing, area.of)]
    return h > a ? h : a
  }
  return readings.reduce<TallyReading | undefined>(
    (worst, reading) => (!worst || shortfall(reading) > shortfall(worst) ? reading : worst),
    undefined,
  )
}
