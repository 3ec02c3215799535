import { expect, it } from 'vitest'
import { counted } from './count'
import samples from './counted.json'

/** The server's own tests go through the same list. */
it.each(samples as [string, number][])('%j has %i characters', (text, characters) => {
  expect(counted(text)).toBe(characters)
})
