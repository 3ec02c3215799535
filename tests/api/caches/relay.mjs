import {
  commitMutation, createOperationDescriptor, Environment, fetchQuery, Network, Observable, RecordSource,
  requestSubscription, Store,
} from 'relay-runtime'

const asks = ({ text }, variables) =>
  Observable.create((sink) => socket.subscribe({ query: text, variables }, sink))
const store = new Store(new RecordSource())
const environment = new Environment({ network: Network.create(asks, asks), store })

await holdAll(async ({ name, variables, requests: { query, change } }) => {
  const operation = createOperationDescriptor(query, variables)
  environment.retain(operation)
  await fetchQuery(environment, query, variables).toPromise()
  const snapshot = environment.lookup(operation.fragment)
  shows(name, snapshot.data)
  environment.subscribe(snapshot, ({ data }) => shows(name, data))
  if (change.params.operationKind === 'mutation')
    commitMutation(environment, { mutation: change, variables, onError: failed })
  else requestSubscription(environment, { subscription: change, variables, onError: failed })
})
