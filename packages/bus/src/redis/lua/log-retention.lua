-- @include event-index
--[[
  Included by what cuts the log. A mark is a place where the log can be cut, with what was counted up to there, so that
  retention never reads an event. Marks lie about 1 % of each limit apart: that much less than the limits is kept at worst.

  Fairness. A flow is what a source has published lately: its events and bytes, of which one counts e times less for each time that
  the log took as much as its limit since. A source whose flow is more than a quarter of a limit is heavy. While there are heavy sources and
  others, a log that is full is cut event by event: what is of the others is spared, which moves it from `stream` to `spared`, up to three
  quarters of the limits.
]]
local retention = {}
local FLOW = '<dddd'
local SHARE = 0.25
-- A source with less than so much of both limits is forgotten when there are more than MAX_FLOWS.
local NEGLIGIBLE, MAX_FLOWS = 1 / 1024, 2048
-- Bytes read for one cut, and events: a script stops the server.
local MAX_WALKED_BYTES, MAX_WALKED = 16 * 1024 * 1024, 2000

-- Reads what retention needs, before anything is written; `limits` has maxEvents, maxBytes, maxAgeMs.
local function openRetention(log, limits)
  log.index, log.hasOldIndex = findIndex(log)
  local found = redis.call('HMGET', META, 'bytes', 'horizonBytes', 'headTime', 'markSeq', 'markBytes', 'openTime',
    'sparedBytes', 'heavy')
  retention = {
    limits = limits,
    stepEvents = math.max(1, math.floor(limits.maxEvents / 100)),
    stepBytes = math.max(1, math.floor(limits.maxBytes / 100)),
    stepMs = math.max(1, math.floor(limits.maxAgeMs / 100)),
    pending = {},
    flows = {},
    heavy = {},
    heavyCount = 0,
  }
  for index, field in ipairs({ 'bytes', 'horizonBytes', 'headTime', 'markSeq', 'markBytes', 'openTime', 'sparedBytes' }) do
    log[field] = tonumber(found[index] or 0)
  end
  for source in string.gmatch(found[8] or '', '[^\n]+') do
    retention.heavy[source] = true
    retention.heavyCount = retention.heavyCount + 1
  end
end

local function markHead(log)
  local mark = string.format('%.0f %.0f %.0f %.0f', log.head, log.headNonce, log.bytes, log.headTime)
  retention.pending[#retention.pending + 1] = mark
  log.markSeq, log.markBytes = log.head, log.bytes
end

-- Marks the head when the events after the last mark have been open for long enough.
local function markByAge(log)
  if log.head > log.markSeq and now - log.openTime >= retention.stepMs then
    markHead(log)
  end
end

local function countAppended(log, seq, nonce, bytes)
  log.head, log.headNonce, log.headTime, log.bytes = seq, nonce, math.max(now, log.headTime), log.bytes + bytes
  local events = seq - log.markSeq
  if events == 1 then
    log.openTime = now
  end
  if events >= retention.stepEvents or log.bytes - log.markBytes >= retention.stepBytes then
    markHead(log)
  end
end

-- Texts begin with id, namespace and source.
local function sourceOf(text)
  return string.match(text, '"source":"([^"]*)"') or ''
end

local function countFlow(text)
  local source = sourceOf(text)
  local flow = retention.flows[source] or { events = 0, bytes = 0 }
  retention.flows[source] = flow
  flow.events, flow.bytes = flow.events + 1, flow.bytes + #text
end

-- What a stored flow comes to at the log's head.
local function flowNow(log, value)
  local events, bytes, atSeq, atBytes = struct.unpack(FLOW, value)
  local limits = retention.limits
  return events * math.exp(math.min(0, atSeq - log.head) / limits.maxEvents),
    bytes * math.exp(math.min(0, atBytes - log.bytes) / limits.maxBytes)
end

local function forgetFlows(log)
  local all, forgotten = redis.call('HGETALL', FLOWS), {}
  for at = 1, #all, 2 do
    local events, bytes = flowNow(log, all[at + 1])
    if events < NEGLIGIBLE * retention.limits.maxEvents and bytes < NEGLIGIBLE * retention.limits.maxBytes then
      forgotten[#forgotten + 1] = all[at]
    end
  end
  for from = 1, #forgotten, 1000 do
    redis.call('HDEL', FLOWS, unpack(forgotten, from, math.min(from + 999, #forgotten)))
  end
end

-- Stores the flows of what was appended, and which sources are heavy now.
local function saveFlows(log)
  local flows, limits = retention.flows, retention.limits
  local sources = {}
  for source in pairs(flows) do
    sources[#sources + 1] = source
  end
  if #sources == 0 then
    return
  end
  for source in pairs(retention.heavy) do
    if not flows[source] then
      sources[#sources + 1] = source
    end
  end
  local stored, changed = redis.call('HMGET', FLOWS, unpack(sources)), {}
  retention.heavy, retention.heavyCount = {}, 0
  for index, source in ipairs(sources) do
    local events, bytes = 0, 0
    if stored[index] then
      events, bytes = flowNow(log, stored[index])
    end
    local more = flows[source]
    if more then
      events, bytes = events + more.events, bytes + more.bytes
      changed[#changed + 1] = source
      changed[#changed + 1] = struct.pack(FLOW, events, bytes, log.head, log.bytes)
    end
    if events > SHARE * limits.maxEvents or bytes > SHARE * limits.maxBytes then
      retention.heavy[source] = true
      retention.heavyCount = retention.heavyCount + 1
    end
  end
  if redis.call('HSET', FLOWS, unpack(changed)) > 0 and redis.call('HLEN', FLOWS) > MAX_FLOWS then
    forgetFlows(log)
  end
end

local function spare(log, entry, appendedBy)
  local text = entry[2][4]
  if log.sparedEvents == 0 then
    redis.call('UNLINK', SPARED, SPARED_IDS)
  end
  local fields = { 't', entry[2][2], 'e', text, 'p', log.horizonNonce, 'a', entry[2][6] or appendedBy }
  local seq = tonumber(string.match(entry[1], '^%d+'))
  local key = idKeyAt(log, seq)
  if key then
    fields[9], fields[10] = 'k', key
    indexSpared(key, seq)
  end
  redis.call('XADD', SPARED, entry[1], unpack(fields))
  log.sparedEvents, log.sparedBytes = log.sparedEvents + 1, log.sparedBytes + #text
end

-- Removes spared events, the oldest first, while `isTooMuch` says so of the next one; at most MAX_WALKED.
local function removeSpared(log, isTooMuch)
  local removed = 0
  while log.sparedEvents > 0 and removed < MAX_WALKED do
    local entry = redis.call('XRANGE', SPARED, '-', '+', 'COUNT', 1)[1]
    if not entry then
      log.sparedEvents, log.sparedBytes = 0, 0
      break
    end
    if not isTooMuch(entry) then
      break
    end
    redis.call('XDEL', SPARED, entry[1])
    if log.index and entry[2][10] then
      unindexSpared(entry[2][10], tonumber(string.match(entry[1], '^%d+')))
    end
    log.sparedEvents, log.sparedBytes = log.sparedEvents - 1, log.sparedBytes - #entry[2][4]
    removed = removed + 1
  end
end

-- Goes from event to event, and spares those of sources that are not heavy. Whether that was all.
local function walkSparing(log, isOver, passed)
  local STEP = 16
  local limits = retention.limits
  local function isBeyondShare()
    return log.sparedEvents > (1 - SHARE) * limits.maxEvents or log.sparedBytes > (1 - SHARE) * limits.maxBytes
  end
  if isBeyondShare() then
    removeSpared(log, isBeyondShare)
    -- Limits that were lowered: more than one call removes is to go, before any event that is not spared.
    if isBeyondShare() then
      return false
    end
  end
  local walked, bytes = 0, 0
  local markSeq, markTime = 0, now
  while walked < MAX_WALKED and bytes < MAX_WALKED_BYTES and isOver() do
    local found = redis.call('XRANGE', STREAM, string.format('%.0f', log.horizon + 1), '+', 'COUNT', STEP)
    if #found == 0 then
      return true
    end
    for _, entry in ipairs(found) do
      if not isOver() then
        break
      end
      local text = entry[2][4]
      local seqText, nonce = string.match(entry[1], '^(%d+)-(%d+)$')
      local seq = tonumber(seqText)
      if not retention.heavy[sourceOf(text)] then
        while markTime ~= now and seq > markSeq or markSeq == 0 do
          local mark = redis.call('LINDEX', MARKS, passed)
          markSeq, markTime = math.huge, now
          if mark then
            local itsSeq, itsTime = string.match(mark, '^(%d+) %d+ %d+ (%d+)$')
            markSeq, markTime = tonumber(itsSeq), tonumber(itsTime)
            passed = passed + 1
          end
        end
        spare(log, entry, markTime)
        if isBeyondShare() then
          removeSpared(log, isBeyondShare)
        end
      end
      log.horizon, log.horizonNonce = seq, tonumber(nonce)
      log.horizonBytes = log.horizonBytes + #text
      walked, bytes = walked + 1, bytes + #text
    end
  end
  return not isOver()
end

-- Where settings were changed, marks lie too far apart, or there is none: goes from event to event, reading them.
local function walk(log, isOver, most)
  local STEP = 50
  local walked = 0
  while walked < most and isOver() do
    local from = string.format('%.0f', log.horizon + 1)
    local found = redis.call('XRANGE', STREAM, from, '+', 'COUNT', STEP)
    if #found == 0 then
      break
    end
    for _, entry in ipairs(found) do
      if not isOver() then
        break
      end
      local seq, nonce = string.match(entry[1], '^(%d+)-(%d+)$')
      log.horizon, log.horizonNonce = tonumber(seq), tonumber(nonce)
      log.horizonBytes = log.horizonBytes + #entry[2][4]
      walked = walked + 1
    end
  end
  return walked
end

-- Cuts the log down to its limits, by at most `most` marks beyond those that are new, or that many dozens of events where
-- there are none to go by. Whether that was all.
local function cut(log, most)
  local pending, limits = retention.pending, retention.limits
  for from = 1, #pending, 1000 do
    redis.call('RPUSH', MARKS, unpack(pending, from, math.min(from + 999, #pending)))
  end
  local function isOver()
    return log.head - log.horizon + log.sparedEvents > limits.maxEvents
      or log.bytes - log.horizonBytes + log.sparedBytes > limits.maxBytes
  end
  removeSpared(log, function(entry)
    return now - tonumber(entry[2][8]) >= limits.maxAgeMs
  end)
  -- A source that is alone pushes out nobody else's events.
  local isShared = retention.heavyCount > 0 and redis.call('HLEN', FLOWS) > retention.heavyCount
  if not isShared then
    removeSpared(log, isOver)
  end
  local before = log.horizon
  local passed, done = 0, false
  while passed < most + #pending do
    local mark = redis.call('LINDEX', MARKS, passed)
    local seq, nonce, bytes, time
    if mark then
      seq, nonce, bytes, time = string.match(mark, '^(%d+) (%d+) (%d+) (%d+)$')
      seq, bytes = tonumber(seq), tonumber(bytes)
    end
    if mark and seq <= log.horizon then
      passed = passed + 1
    elseif mark and now - time >= limits.maxAgeMs then
      log.horizon, log.horizonNonce, log.horizonBytes = seq, tonumber(nonce), bytes
      passed = passed + 1
    elseif not isOver() then
      done = true
      break
    elseif isShared then
      done = walkSparing(log, isOver, passed)
      break
    else
      local far = mark and seq - log.horizon > 1
        and (seq - log.horizon > 2 * retention.stepEvents or bytes - log.horizonBytes > 2 * retention.stepBytes)
      if mark and not far then
        log.horizon, log.horizonNonce, log.horizonBytes = seq, tonumber(nonce), bytes
        passed = passed + 1
      else
        done = walk(log, isOver, most * 50) == 0 or not isOver()
        break
      end
    end
  end
  if passed > 0 then
    redis.call('LPOP', MARKS, passed)
  end
  if log.horizon > before then
    redis.call('XTRIM', STREAM, 'MINID', '=', string.format('%.0f', log.horizon + 1))
    if log.index then
      cutIndex(log, before)
    end
  end
  return done
end

local function heavyNow()
  local sources = {}
  for source in pairs(retention.heavy) do
    sources[#sources + 1] = source
  end
  return table.concat(sources, '\n')
end

local function saveLog(log, generations)
  if log.index then
    redis.call('HSET', META, 'indexFrom', log.index.from, 'indexTo', log.head, 'indexHorizon', log.horizon)
  end
  redis.call('HSET', META,
    'head', log.head, 'headNonce', log.headNonce, 'headTime', log.headTime, 'bytes', log.bytes,
    'horizon', log.horizon, 'horizonNonce', log.horizonNonce, 'horizonBytes', log.horizonBytes,
    'markSeq', log.markSeq, 'markBytes', log.markBytes, 'openTime', log.openTime,
    'sparedEvents', log.sparedEvents, 'sparedBytes', log.sparedBytes, 'heavy', heavyNow(),
    'generations', table.concat(generations, ' '))
end

-- The generations that may have a record that still counts. The others are freed in the background: that their time to live
-- ends would free them at once, and stop the server for as long as it takes.
local function liveGenerations(log, windowMs)
  local begun = splitWords(redis.call('HGET', META, 'generations'))
  while begun[1] do
    -- The newest record of the last one is of the head. Should the clock go back, its records are of when it was begun.
    local ended = begun[2] or math.max(log.headTime, begun[1])
    if now - ended < windowMs then
      break
    end
    redis.call('UNLINK', DEDUP .. ':' .. begun[1])
    table.remove(begun, 1)
  end
  return begun
end
