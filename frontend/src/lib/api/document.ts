/**
 * A document in texts: its own, and one for each fragment. `id`: by which the server knows the whole, of a query that
 * may stand in an address (documents.ts, which the build runs).
 */
export interface Written {
  texts: readonly string[]
  id: string | undefined
}

export const compose = (text: string, fragments: readonly Written[] = [], id?: string): Written => ({
  texts: [...new Set([text, ...fragments.flatMap(({ texts }) => texts)])],
  id,
})

export const textOf = ({ texts }: Written): string => texts.join('')

export const nameOf = ({ texts: [own = ''] }: Written): string => /\w+\s+(\w+)/.exec(own)?.[1] ?? ''
