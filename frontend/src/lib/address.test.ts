import { describe, expect, it } from 'vitest'
import { isMonth, isNodeId, numberIn, settled, toBeShared } from './address'
import { paths } from './paths'

describe('A number in an address', () => {
  it.each([
    ['1', 1],
    ['12', 12],
    ['2147483647', 2147483647],
  ])('%s is read', (text, number) => expect(numberIn(text)).toBe(number))

  it.each(['', undefined, '0', '-1', '012', '1.5', '1e3', '１２', '2147483648', '9'.repeat(400), 'abc', ' 1', '0x1'])(
    '%s is none',
    (text) => expect(numberIn(text)).toBe(0),
  )
})

it.each(['2026-13', '2026-00', '2026-1', '2026', '26-01', '0000-01', '２０２６-01', '2026-01-01', '2026/01', ' 2026-01', 'x'])(
  '%s is no month',
  (text) => expect(isMonth(text)).toBe(false),
)

it('knows the months', () => expect(['2026-01', '2026-12', '1999-10'].every(isMonth)).toBe(true))

it('knows an id of the API by its shape', () => {
  expect(['Vote:12', 'Event:1', 'RollEntry:9223372036854775807'].map(btoa).every(isNodeId)).toBe(true)
  const wrong = ['', 'nonsense', '12', '春', '%3D', btoa('Vote:0'), btoa('vote:1'), btoa('Event:1').replace('=', ''), `${btoa('Vote:12')} `]
  expect(wrong.filter(isNodeId)).toEqual([])
})

describe('A page has one address', () => {
  it.each([
    ['/', '/'],
    ['//', '/'],
    ['/c/spring/', '/c/spring'],
    ['//c///spring//v/12', '/c/spring/v/12'],
    ['/C/spring/V/12', '/c/spring/v/12'],
    ['/C/c/LEDGER', '/c/c/ledger'],
    ['/c/Spring', '/c/Spring'],
    ['/c/%E6%98%A5', '/c/%E6%98%A5'],
    ['/c/%e6%98%a5', '/c/%E6%98%A5'],
    ['/c/春', '/c/%E6%98%A5'],
    ['/c/spring/votes/Vm90ZTox=', '/c/spring/votes/Vm90ZTox%3D'],
    ['/c/spring/votes/Vm90ZTox%3D', '/c/spring/votes/Vm90ZTox%3D'],
    ['/c/%73pring', '/c/spring'],
    ['/c/%', '/c/%25'],
    ['/c/%E0%A4%A', '/c/%25E0%25A4%25A'],
    ['/c/a%2Fb', '/c/a%2Fb'],
  ])('%s is %s', (typed, path) => {
    expect(settled(typed)).toBe(path)
    expect(settled(path)).toBe(path)
  })

  it('is the one that every link of ours has', () => {
    for (const path of [paths.home(), paths.bulletin('春风里'), paths.vote('a b', 3), paths.event('x', 1), paths.entry('x', 9)])
      expect(settled(path)).toBe(path)
  })
})

it('is passed on without what only this reader needs', () => {
  const at = (pathname: string, search: string) => toBeShared({ origin: 'https://m.example', pathname, search })
  expect(at('/c/spring/v/1', '?step=review&utm_source=x')).toBe('https://m.example/c/spring/v/1')
  expect(at('/c/spring/ledger', '?from=groupmessage&month=2026-05')).toBe('https://m.example/c/spring/ledger?month=2026-05')
  expect(at('/c/spring/ledger', '?month=2026-13')).toBe('https://m.example/c/spring/ledger')
})
