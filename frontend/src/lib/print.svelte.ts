import { snag } from './snag.svelte'

/** The square code that leads from the paper back to the live page. Drawn when somebody prints, not before. */
class PageMark {
  path = $state('')
  size = $state(0)

  /** Without it the paper still says everything; that it is missing is told. */
  async draw(): Promise<void> {
    const { encode } = await import('uqr').catch(() => ({ encode: null }))
    if (!encode) return snag.tell('printLost', () => this.draw())
    snag.clear()
    const { data, size } = encode(location.origin + location.pathname, { ecc: 'M', border: 2 })
    this.size = size
    this.path = data
      .flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])))
      .join('')
  }
}

export const pageMark = new PageMark()
