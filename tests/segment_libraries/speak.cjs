// What a program on a server says with @segment/analytics-node.
//
// `speak.cjs calls|steady SETTINGS`, as speak.py. The library is found through NODE_PATH.
'use strict'

const { setTimeout: pause } = require('node:timers/promises')
const { Analytics } = require('@segment/analytics-node')
const { version } = require('@segment/analytics-node/package.json')

const [what, settings] = [process.argv[2], JSON.parse(process.argv[3])]
const { host, key, name, options } = settings
const analytics = new Analytics({ writeKey: key, host, ...options })
const sent = {}
const errors = []

// The callback comes when the event is delivered or given up.
function keep(call, words) {
  analytics[call](words, (error, context) => {
    sent[context.event.messageId] = context.event.type
    if (error) errors.push(String(error))
  })
}

async function calls() {
  const userId = `user-${name}`
  const anonymousId = `anonymous-${name}`
  keep('identify', { userId, anonymousId, traits: { plan: 'trial', firstName: 'Ada', mutinyVisitorId: `visitor-${name}` } })
  await pause(20) // the newest wins by the millisecond
  keep('identify', { userId, traits: { plan: 'pro' } })
  keep('group', { userId, groupId: `group-${name}`, traits: { industry: 'SaaS' } })
  keep('alias', { userId, previousId: anonymousId })
  keep('page', { userId, category: 'Docs', name: 'Pricing', properties: { url: 'https://www.example.com/pricing' } })
  keep('track', { userId, event: 'Signed Up', properties: { plan: 'pro' } })
  keep('track', { anonymousId, event: 'Seen' })
  for (let number = 0; number < 40; number += 1) keep('track', { userId, event: 'Read', properties: { number } })
}

async function steady() {
  let stopped = false
  process.stdin.once('data', () => (stopped = true))
  for (let number = 0; !stopped; number += 1) {
    keep('track', { userId: `user-${name}`, event: 'Read', properties: { number } })
    await pause(50)
  }
  process.stdin.destroy()
}

async function main() {
  await { calls, steady }[what]()
  await analytics.closeAndFlush({ timeout: 600_000 })
  console.log(JSON.stringify({ version, sent, errors }))
}

main()
