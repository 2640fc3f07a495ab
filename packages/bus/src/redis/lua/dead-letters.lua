--[[
  Included by group-state: what a group counts of its dead letters. Fields of the group's hash, which a release before this one neither
  reads nor writes:
    deadCount     how many there were when they were counted; when there are others, they are counted anew
    deadBytes     of their texts
    deadReasons   JSON: reason → how many of them died of it
    unreported    JSON { count, dropped, reasons }: deaths since the last report
    reportedAt    ms
  KEYS[26] reports  zset of the names of the namespace's groups that have unreported deaths, by when the first was, in ms
]]
local REPORTS = KEYS[26]
local MAX_DEAD, MAX_DEAD_BYTES = 10000, 64 * 1024 * 1024
-- Dead letters that one death removes of a group that had more than may be before there was a bound.
local MAX_CLEARED = 2000
local MAX_REASONS, REASON_CUT = 20, 200
-- Failed attempts that are kept of one event, the newest.
local MAX_ATTEMPTS = 50

-- The name of the group, which is the end of its key.
local function nameOfGroup()
  return string.match(GROUP, '}:g:(.*)$')
end

-- Cuts a text that is UTF-8, and no character in two.
local function cutText(text)
  if #text <= REASON_CUT then
    return text
  end
  local last = REASON_CUT
  while last > 0 and string.byte(text, last + 1) >= 128 and string.byte(text, last + 1) < 192 do
    last = last - 1
  end
  return string.sub(text, 1, last)
end

-- Why an event died whose last failed attempt is this (JSON).
local function reasonOf(attempt)
  local failed = attempt and cjson.decode(attempt) or {}
  if type(failed.reason) == 'string' then
    return cutText(failed.reason)
  end
  return failed.refused and 'no reason' or 'deadline'
end

local function countReason(reasons, reason, by)
  local count = (reasons[reason] or 0) + by
  if count <= 0 then
    reasons[reason] = nil
    return
  end
  if not reasons[reason] then
    local known, rarest = 0, nil
    for other, its in pairs(reasons) do
      known = known + 1
      if not rarest or its < reasons[rarest] or its == reasons[rarest] and other < rarest then
        rarest = other
      end
    end
    if known >= MAX_REASONS then
      reasons[rarest] = nil
    end
  end
  reasons[reason] = count
end

-- Of this call: what died, and dead letters that are settled or redriven. Of each { bytes, reason }.
local died, raised = {}, {}

local function noteDeath(member, attempt)
  died[#died + 1] = { bytes = redis.call('HSTRLEN', TEXTS, member), reason = reasonOf(attempt) }
end

-- Before the dead letter is changed.
local function noteRaised(member, record)
  local last = redis.call('HGET', HISTORIES, member .. ' ' .. record.attempt)
  raised[#raised + 1] = { bytes = redis.call('HSTRLEN', TEXTS, member), reason = reasonOf(last) }
end

-- The bytes and reasons of the newest dead letters: of all, unless there are more than one call brings down to the bound.
local function countDead()
  local bytes, reasons = 0, {}
  for from = 0, MAX_DEAD + MAX_CLEARED - 1, SLICE do
    local members = redis.call('ZRANGE', DEAD, -from - SLICE, -from - 1)
    local found, records = findRecords(members)
    local fields = {}
    for index, member in ipairs(found) do
      bytes = bytes + redis.call('HSTRLEN', TEXTS, member)
      fields[index] = member .. ' ' .. records[member].attempt
    end
    for _, attempt in ipairs(getAll(HISTORIES, fields)) do
      countReason(reasons, reasonOf(attempt), 1)
    end
    if #members < SLICE then
      break
    end
  end
  return bytes, reasons
end

local function report(count, dropped)
  local text = redis.call('HGET', GROUP, 'unreported')
  local unreported = text and cjson.decode(text) or { count = 0, dropped = 0, reasons = {} }
  unreported.count, unreported.dropped = unreported.count + count, unreported.dropped + dropped
  for _, one in ipairs(died) do
    countReason(unreported.reasons, one.reason, 1)
  end
  redis.call('HSET', GROUP, 'unreported', cjson.encode(unreported))
  redis.call('ZADD', REPORTS, 'NX', now, nameOfGroup())
end

-- Counts what died and what was raised, after it was written. Returns the dead letters for which there is no room, the oldest.
local function settleDeaths()
  if #died == 0 and #raised == 0 then
    return {}
  end
  local fields = redis.call('HMGET', GROUP, 'deadCount', 'deadBytes', 'deadReasons')
  local total = redis.call('ZCARD', DEAD)
  local bytes, reasons
  if tonumber(fields[1] or -1) + #died - #raised == total then
    bytes, reasons = tonumber(fields[2]), cjson.decode(fields[3])
    for _, one in ipairs(died) do
      bytes = bytes + one.bytes
      countReason(reasons, one.reason, 1)
    end
    for _, one in ipairs(raised) do
      bytes = bytes - one.bytes
      countReason(reasons, one.reason, -1)
    end
  elseif #died > 0 then
    bytes, reasons = countDead()
  else
    -- The next death counts them anew.
    raised = {}
    return {}
  end
  local old = {}
  if #died > 0 then
    if total > MAX_DEAD + MAX_CLEARED then
      old = redis.call('ZRANGE', DEAD, 0, MAX_CLEARED - 1)
      total = -1
    else
      local from, freed = 0, 0
      while total - #old > MAX_DEAD or bytes - freed > MAX_DEAD_BYTES do
        for _, member in ipairs(redis.call('ZRANGE', DEAD, from, from + 99)) do
          if total - #old > MAX_DEAD or bytes - freed > MAX_DEAD_BYTES then
            old[#old + 1] = member
            freed = freed + redis.call('HSTRLEN', TEXTS, member)
          end
        end
        from = from + 100
      end
    end
    report(#died, #old)
  end
  redis.call('HSET', GROUP, 'deadCount', total, 'deadBytes', string.format('%.0f', bytes), 'deadReasons', cjson.encode(reasons))
  died, raised = {}, {}
  return old
end
