import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const components = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.svelte'))

it('no field of the page cuts what is typed or pasted', () => {
  const cutting = components.filter((file) => /maxlength|maxLength|\bsize="\d/.test(readFileSync(`src/${file}`, 'utf8')))
  expect(components.length).toBeGreaterThan(40)
  expect(cutting).toEqual([])
})

it('whatever is typed for neighbours to read is counted', () => {
  const uncounted = components.flatMap((file) => {
    const areas = readFileSync(`src/${file}`, 'utf8').match(/<textarea|<Field[^>]*type="area"[^>]*>/g) ?? []
    return areas.filter((area) => !area.includes('most=') && !file.endsWith('Field.svelte')).map((area) => `${file}: ${area}`)
  })
  expect(uncounted).toEqual([])
})
