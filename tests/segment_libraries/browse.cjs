// A real page in real Chromium with @segment/analytics-next on it; one command a line on stdin, one answer a line on stdout.
//
// `browse.cjs SETTINGS`: chromium, package (which version), edge (where the service is), key; also `snippet` for a page that has
// the library as Segment's snippet does, `delivery` for another deliveryStrategy. The page is served here, so the service is
// another origin to it. Commands:
// {"open": "/"}                        a page view: the page is loaded and the library with it
// {"call": ["track", "Seen", {…}]}     a call of the library; answers {messageId, type} once the library is through with it
// {"steady": 100}                      one event in so many milliseconds, until…
// {"stop": true}                       answers {messageId: type, …} of what was sent
// {"network": true}                    what the browser saw: [[method, path, status or error], …]
'use strict'

const fs = require('node:fs')
const http = require('node:http')
const path = require('node:path')
const readline = require('node:readline')
const { chromium } = require('playwright-core')

const settings = JSON.parse(process.argv[2])
const FOLDER = path.join(process.env.NODE_PATH, settings.package, 'dist', 'umd')
// As root there is no sandbox; the rest keeps Chromium from calling home, which a closed network refuses many times at once.
const FLAGS =
  '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'

const { key, edge, delivery } = settings
const options = {
  integrations: { 'Segment.io': { apiHost: new URL(edge).host + '/v1', protocol: 'http', deliveryStrategy: delivery } },
}
const IMPORTED = `<script src="/index.js"></script><script>
  analytics = AnalyticsNext.AnalyticsBrowser.load(${JSON.stringify({ writeKey: key, cdnURL: edge })}, ${JSON.stringify(options)})
</script>`
const SNIPPET = `<script>
  analytics = Object.assign([], ${JSON.stringify({ _writeKey: key, _loadOptions: options, _cdn: edge })})
</script><script src="/standalone.js"></script>`
const PAGE = `<!doctype html><title>A customer's page</title><h1>Hello</h1>${settings.snippet ? SNIPPET : IMPORTED}`

function serve(request, response) {
  const name = path.basename(request.url.split('?')[0])
  const script = name.endsWith('.js') ? path.join(FOLDER, name) : null
  if (script && !fs.existsSync(script)) return response.writeHead(404).end()
  response.setHeader('Content-Type', script ? 'text/javascript' : 'text/html; charset=utf-8')
  response.end(script ? fs.readFileSync(script) : PAGE)
}

async function start() {
  const server = http.createServer(serve)
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
  const browser = await chromium.launch({ executablePath: settings.chromium, args: FLAGS.split(' ') })
  const page = await browser.newPage({ baseURL: `http://127.0.0.1:${server.address().port}` })
  return { server, browser, page }
}

function commands(page, network) {
  return {
    open: async (where) => {
      await page.goto(where)
      await page.waitForFunction(() => (analytics.instance ?? analytics).initialized)
    },
    call: (words) =>
      page.evaluate(async ([method, ...rest]) => {
        const context = await analytics[method](...rest)
        return context?.event ? { messageId: context.event.messageId, type: context.event.type } : null
      }, words),
    steady: (pause) =>
      page.evaluate((pause) => {
        window.calls = []
        window.sending = setInterval(() => window.calls.push(analytics.track('Read')), pause)
      }, pause),
    stop: () =>
      page.evaluate(async () => {
        clearInterval(window.sending)
        const contexts = await Promise.all(window.calls)
        return Object.fromEntries(contexts.map(({ event }) => [event.messageId, event.type]))
      }),
    network: () => network,
  }
}

async function main() {
  const { server, browser, page } = await start()
  const network = []
  const ended = new WeakSet()
  const seen = (request, end) => {
    const url = new URL(request.url())
    if (url.origin !== edge || ended.has(request)) return
    ended.add(request) // an answer whose body nobody reads "fails" once more when the page goes
    network.push([request.method(), url.pathname, end])
  }
  page.on('response', (response) => seen(response.request(), response.status()))
  page.on('requestfailed', (request) => seen(request, request.failure().errorText))
  const does = commands(page, network)
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [[command, argument]] = Object.entries(JSON.parse(line))
    console.log(JSON.stringify((await does[command](argument)) ?? null))
  }
  await browser.close()
  server.close()
}

main()
