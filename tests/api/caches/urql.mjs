import { Client, subscriptionExchange } from '@urql/core'
import { cacheExchange } from '@urql/exchange-graphcache'

// What has no id lies within the one that holds it.
const none = () => null
const keys = { VoteProgress: none, Weight: none, EventAttendance: none, LedgerBalance: none }

const client = new Client({
  url,
  exchanges: [
    cacheExchange({ keys }),
    subscriptionExchange({
      enableAllOperations: true,
      forwardSubscription: (request) => ({
        subscribe: (sink) => ({ unsubscribe: socket.subscribe(request, sink) }),
      }),
    }),
  ],
})
const fails = ({ error }) => error && failed(error)

await holdAll(async ({ name, query, change, variables }) => {
  await new Promise((resolve) =>
    client.query(query, variables).subscribe(({ data, error }) => {
      if (error) failed(error)
      if (!data) return
      shows(name, data)
      resolve()
    }),
  )
  if (change.startsWith('mutation')) client.mutation(change, variables).subscribe(fails)
  else client.subscription(change, variables).subscribe(fails)
})
