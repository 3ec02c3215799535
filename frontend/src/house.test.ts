import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

/** What holds in every file of the page; each of these was forgotten somewhere once. */
const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.(svelte|ts)$/.test(file) && !file.endsWith('.test.ts') && !file.startsWith('explorer'))
  .map((file) => ({ file, text: readFileSync(`src/${file}`, 'utf8') }))

const lines = (pattern: RegExp) =>
  files.flatMap(({ file, text }) => text.split('\n').flatMap((line) => (pattern.test(line) ? [`${file}: ${line.trim()}`] : [])))

it('looks at all of the page', () => expect(files.length).toBeGreaterThan(120))

describe('what a page reads', () => {
  it('asks who it is for, so that a session that ended is noticed wherever one is', () => {
    const pages = files.filter(({ file, text }) => file.startsWith('routes/') && text.includes('<Page') && text.includes('new Reading('))
    expect(pages.length).toBeGreaterThan(6)
    const query = ({ text }: { text: string }) => (text.includes("from './query'") ? readFileSync('src/routes/votes/query.ts', 'utf8') : text)
    expect(pages.filter((page) => !/viewer \{\s+\.\.\.Viewer/.test(query(page))).map(({ file }) => file)).toEqual([])
  })

  it('is told to the session by what reads it, and by nobody else, who might tell it too early', () => {
    expect(lines(/session\.(hear|shows)\(/).map((line) => line.split(':')[0])).toEqual(Array(2).fill('lib/api/reading.svelte.ts'))
  })
})

it('nothing is refused by who is signed in, without asking whether the page is theirs already', () => {
  const judging = files.filter(({ text }) => /(viewerPermissions|viewerEntries|noRights)/.test(text) && /session\.viewer/.test(text))
  expect(judging.length).toBeGreaterThan(4)
  // Pages hand "not for you" to Absent, which waits.
  const careless = judging.filter(({ text }) => !text.includes('session.settled') && !text.includes('<Absent'))
  // `voteDeed` asks for them.
  expect(careless.filter(({ text }) => !text.includes('voteDeed(vote.viewerEntries, session)')).map(({ file }) => file)).toEqual([])
})

it('a vote is open by the clock of the page; what the server said last only decides what is listened to', () => {
  const listening = /\(\) => vote\.status === 'OPEN'|if \(vote\.status === 'OPEN' && |^lib\/time\.svelte\.ts/
  expect(lines(/\.status\s*[!=]==? 'OPEN'/).filter((line) => !listening.test(line) && !line.startsWith('routes/votes/Vote.svelte'))).toEqual([])
})

it('what may have a style is asked for once, so that nothing is shown without the style it lost', () => {
  const fetched = lines(/import\('.*\.svelte'\)/)
  expect(fetched.length).toBeGreaterThan(20)
  expect(fetched.filter((line) => !/(openable|once|<Later part)[(=]/.test(line))).toEqual([])
})

it('an end is said as an end: midnight is 24:00 of the day that is over', () => {
  expect(lines(/\b(say\.(when|day|from)|timeOf|local)\((\w+\.)*(closesAt|endsAt|signUpClosesAt|effectiveUntil|until)\b/).filter((line) => !line.startsWith('lib/format/time.ts'))).toEqual([])
})

describe('what this device remembers', () => {
  it('is written in few places, all of which a sign-out reaches', () => {
    const writing = files.filter(({ text }) => /\b(localStorage|sessionStorage|indexedDB|caches)\b/.test(text)).map(({ file }) => file)
    expect(writing.sort()).toEqual(
      ['lib/api/boards.ts', 'lib/kept.svelte.ts', 'lib/openable.ts', 'lib/stored.ts', 'routes/publish/kept.ts', 'shell/worker.ts'].sort(),
    )
  })

  it('is named as ours', () => {
    const names = files.flatMap(({ text }) => text.match(/(?<=(?:STORED|PREFIX|TRIED|PREFIX) = ')[^']*/g) ?? [])
    expect(names.length).toBeGreaterThan(3)
    expect(names.filter((name) => !name.startsWith('meilin.'))).toEqual([])
  })

  it('in a window, too: whatever is held beyond one page is forgotten with it, or is of nobody', () => {
    const held = lines(/^(export )?(const|let) \w+(: [^=]+)? = new (Map|Set)\b(<.*>)?\(\)/).map((line) =>
      line.replace(/: (?:export )?(?:const|let) (\w+).*/, ' $1'),
    )
    expect(held.sort()).toEqual(
      [
        'lib/api/reading.svelte.ts kept', // alsoForget
        'lib/api/request.ts unknown', // ids of documents
        'lib/kept.svelte.ts forgetful', // what forgets
        'lib/kept.svelte.ts memory', // forgetAll
        'lib/live/watch.ts journals', // names of what is being listened to
        'lib/live/watch.ts states', // left with the page that listens
        'lib/once.ts asked', // addresses of scripts
        'lib/place.ts places', // addresses
        'routes/publish/publishing.svelte.ts begun', // alsoForget
      ].sort(),
    )
  })
})
