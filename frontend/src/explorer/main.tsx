import '../tokens.css'
import '../shell/shell.css'
import 'graphiql/style.css'
import './explorer.css'
import { createGraphiQLFetcher } from '@graphiql/toolkit'
import { GraphiQL } from 'graphiql'
import { createClient } from 'graphql-ws'
import { useMemo, useState } from 'react'
import { createRoot } from 'react-dom/client'

const STORED = 'meilin.explorer.authorization'
const FIRST_QUERY = `# Meilin: owners' votes, events, notices and the ledger of housing estates.
query Today {
  communities(first: 3) {
    edges {
      node {
        slug
        name
        households
        votes(first: 3, status: [OPEN]) {
          edges {
            node {
              id
              title
              closesAt
              tally {
                version
                participating { heads area }
                questions { conditions { gate measure need have of missing met } }
              }
            }
          }
        }
      }
    }
  }
}

# Live: paste the id of an open vote into the variables.
subscription Live($voteId: ID!) {
  voteProgress(voteId: $voteId) {
    version
    participating { heads area }
  }
}
`

function fetcherFor(authorization: string) {
  const headers = authorization ? { Authorization: authorization } : {}
  return createGraphiQLFetcher({
    url: '/graphql',
    headers,
    wsClient: createClient({
      url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/graphql`,
      // The same string as the header: the socket takes it in connection_init.
      connectionParams: headers,
      retryAttempts: 5,
    }),
  })
}

function Explorer() {
  const [typed, setTyped] = useState(() => sessionStorage.getItem(STORED) ?? '')
  const [authorization, setAuthorization] = useState(typed)
  const fetcher = useMemo(() => fetcherFor(authorization), [authorization])

  function apply(event: { preventDefault(): void }) {
    event.preventDefault()
    const value = typed.trim()
    sessionStorage.setItem(STORED, value)
    setAuthorization(value)
  }

  return (
    <>
      <form className="authorization" onSubmit={apply}>
        <label htmlFor="authorization">Authorization</label>
        <input
          id="authorization"
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
          onBlur={apply}
          placeholder="Bearer …"
          autoComplete="off"
          spellCheck={false}
        />
        <button>{typed.trim() === authorization ? 'In use' : 'Use'}</button>
        <a href="/">Notice board</a>
      </form>
      <div className="explorer">
        <GraphiQL key={authorization} fetcher={fetcher} defaultQuery={FIRST_QUERY} />
      </div>
    </>
  )
}

document.documentElement.dataset['boot'] = 'begun'
createRoot(document.getElementById('explorer')!).render(<Explorer />)
