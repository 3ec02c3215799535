import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { cast as enCast } from './cast.en'
import { cast as zhCast } from './cast.zh'
import { desk as enDesk } from './desk.en'
import { desk as zhDesk } from './desk.zh'
import { en as enPage } from './en'
import { zh as zhPage } from './zh'

const en = { ...enPage, desk: enDesk, cast: enCast }
const zh = { ...zhPage, desk: zhDesk, cast: zhCast }

function leaves(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [`${path} ${typeof value}`]
  return Object.entries(value).flatMap(([key, child]) => leaves(child, path ? `${path}.${key}` : key))
}

describe('the two catalogues', () => {
  it('say the same things', () => {
    expect(leaves(en).sort()).toEqual(leaves(zh).sort())
  })

  it('leave nothing empty', () => {
    const empty = (value: unknown): boolean =>
      value === '' || (typeof value === 'object' && value !== null && Object.values(value).some(empty))
    expect(empty(zh)).toBe(false)
    expect(empty(en)).toBe(false)
  })

  it('are written in their own language', () => {
    const text = (value: unknown): string =>
      typeof value === 'object' && value !== null ? Object.values(value).map(text).join(' ') : String(value)
    const { meta: _meta, site, tally: _tally, ...rest } = en
    const { language: _language, languageLabel: _label, ...words } = site
    expect(text({ ...rest, words })).not.toMatch(/\p{Script=Han}/u)
  })
})

describe('no words in components', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(svelte|ts)$/.test(file))
    .filter((file) => !/lib\/words\/|\.test\.ts$|schema-types/.test(file))

  it('found components to look at', () => {
    expect(files.length).toBeGreaterThan(20)
  })

  it.each(files)('%s', (file) => {
    const code = readFileSync(`src/${file}`, 'utf8')
      .replace(/<!--[\s\S]*?-->/g, '')
      .replace(/\/\*[\s\S]*?\*\//g, '')
      .replace(/(^|\s)\/\/.*$/gm, '')
    expect(code).not.toMatch(/\p{Script=Han}/u)
  })
})
