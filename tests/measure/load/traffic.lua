-- Sends the requests of one traffic file, and checks each reply. A thread should have
-- one connection: then each reply belongs to the request before it. Where a thread has
-- more, all requests of the file must get the same reply, without an id in it: 401.
--
-- A line of the file has six fields with tabs between them: the path, the right status,
-- the right status if the call is taken here because the other region is unhealthy, the
-- right Location or "-", a token, and a body. @CALL@ in the body stands for the call id, which
-- is new in every request.
--
-- Arguments: the file, the number of threads, the mean pause before each request in
-- milliseconds, a word that makes call ids differ from those of other runs, and the
-- number of connections of a thread. Pauses are distributed exponentially, so that the
-- requests of many connections arrive at random, as those of strangers do.

local ECHO = "client-request-id"

local next_number = 0

function setup(thread)
  thread:set("number", next_number)
  next_number = next_number + 1
  threads = threads or {}
  table.insert(threads, thread)
end

function init(arguments)
  local file, stride = arguments[1], tonumber(arguments[2])
  mean_pause = tonumber(arguments[3]) or 0
  run = arguments[4]
  is_alone = arguments[5] == "1"
  math.randomseed(number + 1)
  lines, statuses, example = {}, "", ""
  seen, sent, replied, wrong, unanswered, taken_here = {}, 0, 0, 0, 0, 0
  is_waiting = false
  local at = 0
  for line in io.lines(file) do
    if at % stride == number then
      local path, status, status_here, location, token, body =
        line:match("^([^\t]*)\t(%d+)\t(%d+)\t([^\t]*)\t([^\t]*)\t(.*)$")
      table.insert(lines, {
        path = path,
        status = tonumber(status), status_here = tonumber(status_here),
        location = location, token = token, body = body,
      })
    end
    at = at + 1
  end
end

function delay()
  if mean_pause == 0 then
    return 0
  end
  return math.floor(-math.log(1 - math.random()) * mean_pause + 0.5)
end

function request()
  -- wrk makes one request as a trial before it starts, hence the last condition.
  if is_alone and is_waiting and replied > 0 then
    unanswered = unanswered + 1
  end
  is_waiting = true
  sent = sent + 1
  expected = lines[(sent - 1) % #lines + 1]
  call = string.format("%s-%d-%d", run, number, sent)
  return wrk.format("POST", expected.path, {
    ["Authorization"] = "Bearer " .. expected.token,
    ["Content-Type"] = "application/json",
    ["X-Microsoft-Skype-Message-ID"] = call,
  }, (expected.body:gsub("@CALL@", call)))
end

local function lower(headers)
  local found = {}
  for name, value in pairs(headers) do
    found[name:lower()] = value
  end
  return found
end

-- Say what is wrong about a reply, or return nil if nothing is.
local function breach(status, headers, body)
  if status ~= expected.status and status == expected.status_here then
    -- Right if the other region is unhealthy, which the log of the deployment tells.
    taken_here = taken_here + 1
    expected = {status = status, location = "-"}
  end
  if status ~= expected.status then
    return "status instead of " .. expected.status
  elseif headers["cache-control"] ~= "no-store" then
    return "Cache-Control"
  elseif headers["connection"] ~= "close" then
    return "Connection"
  elseif status == 401 and headers["www-authenticate"] ~= "Bearer" then
    return "WWW-Authenticate"
  elseif headers[ECHO] ~= (status ~= 401 and call or nil) then
    return "Client-Request-Id"
  elseif (headers["location"] or "-") ~= expected.location then
    return "Location"
  elseif status == 503 and headers["retry-after"] ~= "1" then
    return "Retry-After"
  elseif body ~= nil and body ~= "" then
    return "body"
  end
end

function response(status, headers, body)
  is_waiting = false
  replied = replied + 1
  seen[status] = (seen[status] or 0) + 1
  local what = breach(status, lower(headers), body)
  if what ~= nil then
    wrong = wrong + 1
    example = status .. ": " .. what
  end
  local list = {}
  for name, count in pairs(seen) do
    table.insert(list, name .. "=" .. count)
  end
  statuses = table.concat(list, ",")
end

function done(summary, latency)
  local total, one = {}, ""
  local sum = {wrong = 0, unanswered = 0, taken_here = 0}
  for _, thread in ipairs(threads) do
    for name, count in thread:get("statuses"):gmatch("(%d+)=(%d+)") do
      total[name] = (total[name] or 0) + tonumber(count)
    end
    for name in pairs(sum) do
      sum[name] = sum[name] + thread:get(name)
    end
    one = one ~= "" and one or thread:get("example")
  end
  local list = {}
  for name, count in pairs(total) do
    table.insert(list, string.format('"%s": %d', name, count))
  end
  local errors = summary.errors
  io.write("\nFIGURES ", string.format(
    '{"seconds": %.3f, "p50": %.3f, "p95": %.3f, "p99": %.3f, "longest": %.3f, '
      .. '"errors": %d, "wrong": %d, "taken_here": %d, "example": "%s", '
      .. '"statuses": {%s}}\n',
    summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(95) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3,
    errors.connect + errors.read + errors.write + errors.timeout
      + sum.unanswered,
    sum.wrong, sum.taken_here, one, table.concat(list, ", ")))
end
