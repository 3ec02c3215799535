import { ApolloClient, gql, InMemoryCache } from '@apollo/client'
import { GraphQLWsLink } from '@apollo/client/link/subscriptions'

const client = new ApolloClient({ link: new GraphQLWsLink(socket), cache: new InMemoryCache() })

await holdAll(async ({ name, query, change, variables }) => {
  await new Promise((resolve) =>
    client.watchQuery({ query: gql(query), variables }).subscribe(({ data, dataState, error }) => {
      if (error) failed(error)
      if (dataState !== 'complete') return
      shows(name, data)
      resolve()
    }),
  )
  if (change.startsWith('mutation')) client.mutate({ mutation: gql(change), variables }).catch(failed)
  else client.subscribe({ query: gql(change), variables }).subscribe(({ error }) => error && failed(error))
})
