import '../tokens.css'
import '../shell/shell.css'
import 'graphiql/style.css'
import './explorer.css'
import { createGraphiQLFetcher, type Fetcher } from '@graphiql/toolkit'
import { GraphiQL } from 'graphiql'
import { createClient } from 'graphql-ws'
import { useEffect, useMemo, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { type Found, IDS, ofItsOwn, type Tab, tabs, variablesOf } from './examples'
import { type Answer, bare, headersOf, keep, kept, spoken } from './token'

const SIGNED_OUT = '未登录，只看得到公开的内容。Not signed in: you see what is public.'

function fetcherFor(token: string): Fetcher {
  const headers = headersOf(token)
  const fetcher = createGraphiQLFetcher({
    url: '/graphql',
    headers,
    wsClient: createClient({
      url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/graphql`,
      // The same string as the header: the socket takes it in connection_init.
      connectionParams: headers,
      retryAttempts: 5,
    }),
  })
  return (given, options) => {
    const { params, ...own } = ofItsOwn(given)
    return fetcher(params, { ...options, ...own })
  }
}

async function ask<T>(query: string, token = ''): Promise<T> {
  const headers = { 'content-type': 'application/json', ...headersOf(token) }
  const response = await fetch('/graphql', { method: 'POST', headers, body: JSON.stringify({ query }) })
  return (await response.json()) as T
}

/** What the server says of a token; nothing until it has answered. */
function useWho(token: string): string {
  const [who, setWho] = useState('')
  useEffect(() => {
    let asked = true
    const say = (text: string) => asked && setWho(text)
    say('')
    ask<Answer>('{ viewer { account } }', token).then(
      (answer) => say(spoken(token, answer, SIGNED_OUT)),
      () => say('没有连上。No answer from the server.'),
    )
    return () => {
      asked = false
    }
  }, [token])
  return who
}

function TokenBox({ token, onToken }: { token: string; onToken: (token: string) => void }) {
  const [typed, setTyped] = useState(token)
  const who = useWho(token)

  function apply(event: { preventDefault(): void }) {
    event.preventDefault()
    setTyped(bare(typed))
    onToken(bare(typed))
  }

  return (
    <form className="authorization" onSubmit={apply}>
      <label htmlFor="authorization">令牌 Token</label>
      <input
        id="authorization"
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        onBlur={apply}
        placeholder="例如 e.g. FTvUuzhwL0oT7Y90mJwnabIbtwacurQ0e_beZ4xC1is"
        aria-describedby="what-to-type"
        autoComplete="off"
        spellCheck={false}
      />
      <button>使用 Use</button>
      <a href="/">公告栏 Notice board</a>
      <output htmlFor="authorization">{who}</output>
      <p id="what-to-type">
        粘贴 <code>.venv/bin/meilin token meizai-meicheng/resident-2</code> 打印的那一行，不必写 Bearer；留空则用公告栏上的登录。
        <span lang="en">
          Paste the line which that command prints, without “Bearer”; empty: as you are signed in on the notice board.
        </span>
      </p>
    </form>
  )
}

function Explorer({ examples }: { examples: Tab[] }) {
  const [token, setToken] = useState(kept)
  const fetcher = useMemo(() => fetcherFor(token), [token])

  function use(given: string) {
    keep(given)
    setToken(given)
  }

  return (
    <>
      <TokenBox token={token} onToken={use} />
      <div className="explorer">
        <GraphiQL key={token} fetcher={fetcher} defaultTabs={examples} />
      </div>
    </>
  )
}

document.documentElement.dataset['boot'] = 'begun'
const root = createRoot(document.getElementById('explorer')!)
const show = (found: Found | null) => root.render(<Explorer examples={tabs(variablesOf(found))} />)
ask<{ data?: Found | null }>(IDS).then(
  ({ data }) => show(data ?? null),
  () => show(null),
)
