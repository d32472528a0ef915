-- What wrk asks: page views of stored visitors in an order that no cache likes.
-- Arguments behind `--`: how many visitors are stored; "small" or "browser" headers.

local small = { ["Content-Type"] = "application/json" }

-- As Chrome sends them; with Host and Content-Length, which wrk adds, these are fourteen.
local browser = {
  ["Connection"] = "keep-alive",
  ["sec-ch-ua-platform"] = '"macOS"',
  ["User-Agent"] = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
  ["sec-ch-ua"] = '"Google Chrome";v="131", "Chromium";v="131", "Not_A Brand";v="24"',
  ["Content-Type"] = "text/plain;charset=UTF-8",
  ["Accept"] = "*/*",
  ["Origin"] = "https://www.example.com",
  ["Sec-Fetch-Site"] = "cross-site",
  ["Sec-Fetch-Mode"] = "cors",
  ["Referer"] = "https://www.example.com/",
  ["Accept-Encoding"] = "gzip, deflate, br, zstd",
  ["Accept-Language"] = "de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7",
}

local body = '{"visitorId":"visitor-%d","page":{"url":"https://www.example.com/?utm_source=mail&utm_campaign=c%d",'
  .. '"referrer":"https://www.google.com/","title":"Example"},"visit":{"count":3}}'

local requests, at = {}, 0

function init(args)
  local stored = tonumber(args[1])
  local headers = args[2] == "browser" and browser or small
  for number = 0, stored - 1 do
    local who = number * 7919 % stored -- a prime: every visitor once a round
    requests[number] = wrk.format("POST", "/v1/decide", headers, string.format(body, who, who % 50))
  end
end

function request()
  at = (at + 1) % (#requests + 1)
  return requests[at]
end

function done(summary, latency)
  local wrong = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format(
    '\n{"requests": %d, "took_us": %d, "wrong": %d, "refused": %d, "p50_us": %.1f, "p99_us": %.1f}\n',
    summary.requests, summary.duration, wrong, summary.errors.status, latency:percentile(50), latency:percentile(99)))
end
