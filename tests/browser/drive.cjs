// Real Chromium, driven line by line: one command on stdin, one answer on stdout, both JSON.
//
// `drive.cjs CHROMIUM FLAG…`. A command is {on, do, args, as}: call the method `do` of playwright-core on the thing named `on`
// ("browser", or what `as` named: contexts and pages). What is no JSON is answered with null. Besides:
// {do: "errors"}    what a page threw, or left unhandled
// {do: "requests"}  what it asked for: [[method, url, body, status or error], …]
// {do: "block"}     requests of a context to addresses like this fail, as with an ad blocker
// {do: "reach"}     requests of a context to one origin are answered by another one
// {do: "until"}     wait until an expression is true there. Playwright's own way looks again by `eval`, in the page: a page
//                   whose policy forbids that fails wherever it is not true at once
'use strict'

const readline = require('node:readline')
const { chromium } = require('playwright-core')

const [executablePath, ...flags] = process.argv.slice(2)
const things = {}

function watch(page) {
  page.errors = []
  page.asked = []
  page.on('pageerror', (error) => page.errors.push(String(error)))
  page.on('console', (line) => line.type() === 'error' && page.errors.push(line.text()))
  page.on('request', (request) => {
    const entry = [request.method(), request.url(), request.postData(), null]
    page.asked.push(entry)
    const ended = (end) => (entry[3] = end)
    request.response().then((response) => ended(response ? response.status() : request.failure()?.errorText), String)
  })
}

const PATIENCE_MS = 30_000

async function until(page, expression) {
  for (const end = Date.now() + PATIENCE_MS; ; await page.waitForTimeout(10)) {
    try {
      if (await page.evaluate(`!!(${expression})`)) return
    } catch (error) {
      if (!String(error).includes('because of a navigation')) throw error
    }
    if (Date.now() > end) throw new Error(`not true in ${PATIENCE_MS / 1000} s: ${expression}`)
  }
}

const ours = {
  until,
  errors: (page) => page.errors,
  requests: (page) => page.asked,
  block: (context, address) => context.route(address, (route) => route.abort('blockedbyclient')),
  reach: (context, from, to) =>
    context.route(from + '/**', async (route) => {
      const response = await route.fetch({ url: route.request().url().replace(from, to), maxRedirects: 0 })
      await route.fulfill({ response })
    }),
}

async function obey({ on, do: verb, args, as }) {
  const thing = things[on]
  const result = await (ours[verb] ? ours[verb](thing, ...args) : thing[verb](...args))
  if (as) things[as] = result
  if (verb === 'newPage') watch(result)
  return as || verb === 'goto' || verb === 'reload' || verb === 'goBack' ? null : result
}

async function main() {
  // Playwright turns the back-forward cache off by itself; people have it.
  const ignoreDefaultArgs = ['--disable-back-forward-cache']
  things.browser = await chromium.launch({ executablePath, args: flags, ignoreDefaultArgs })
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const answer = await obey(JSON.parse(line)).then(
      (result) => ({ result: result ?? null }),
      (error) => ({ error: String(error) }),
    )
    console.log(JSON.stringify(answer))
  }
  await things.browser.close()
}

main()
