--[[
  Included by what cuts the log. A mark is a place where the log can be cut, with what was counted up to there, so that
  retention never reads an event. Marks lie about 1 % of each limit apart: that much less than the limits is kept at worst.
]]
local retention = {}

-- Reads what retention needs; `limits` has maxEvents, maxBytes, maxAgeMs.
local function openRetention(log, limits)
  local found = redis.call('HMGET', META, 'bytes', 'horizonBytes', 'headTime', 'markSeq', 'markBytes', 'openTime')
  retention = {
    limits = limits,
    stepEvents = math.max(1, math.floor(limits.maxEvents / 100)),
    stepBytes = math.max(1, math.floor(limits.maxBytes / 100)),
    stepMs = math.max(1, math.floor(limits.maxAgeMs / 100)),
    pending = {},
  }
  for index, field in ipairs({ 'bytes', 'horizonBytes', 'headTime', 'markSeq', 'markBytes', 'openTime' }) do
    log[field] = tonumber(found[index] or 0)
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
  log.head, log.headNonce, log.headTime, log.bytes = seq, nonce, now, log.bytes + bytes
  local events = seq - log.markSeq
  if events == 1 then
    log.openTime = now
  end
  if events >= retention.stepEvents or log.bytes - log.markBytes >= retention.stepBytes then
    markHead(log)
  end
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
    return log.head - log.horizon > limits.maxEvents or log.bytes - log.horizonBytes > limits.maxBytes
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
  end
  return done
end

local function saveLog(log, generations)
  redis.call('HSET', META,
    'head', log.head, 'headNonce', log.headNonce, 'headTime', log.headTime, 'bytes', log.bytes,
    'horizon', log.horizon, 'horizonNonce', log.horizonNonce, 'horizonBytes', log.horizonBytes,
    'markSeq', log.markSeq, 'markBytes', log.markBytes, 'openTime', log.openTime,
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
