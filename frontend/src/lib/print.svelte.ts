import { toBeShared } from './address'

/** The square code that leads from the paper back to the live page. Drawn when somebody prints, not before. */
class PageMark {
  path = $state('')
  size = $state(0)

  async draw() {
    const { encode } = await import('uqr')
    const { data, size } = encode(toBeShared(location), { ecc: 'M', border: 2 })
    this.size = size
    this.path = data
      .flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])))
      .join('')
  }
}

export const pageMark = new PageMark()
