-- @include log-state
--[[
  Finds where to begin so that no event is skipped that was appended at or after a time, by a binary search over positions.

  ARGV
    1 epoch  for a log that lost its events
    2 timeMs
    3 untimed  'before': events without a time count as older; 'after': those up to a mark that is older are skipped, and no others

  Returns { epoch, seq, nonce }.
]]
local log = findLog(ARGV[1])
local time = tonumber(ARGV[2])

-- The last position in (from, upTo) of which `isBefore` says that all up to it are too old; `from` when there is none.
local function lastBefore(from, upTo, isBefore)
  while upTo - from > 1 do
    local middle = math.floor((from + upTo) / 2)
    local seq = isBefore(middle)
    if seq then
      from = math.max(middle, seq)
    else
      upTo = middle
    end
  end
  return from
end

local function firstFrom(stream, seq)
  local entry = redis.call('XRANGE', stream, string.format('%.0f', seq), '+', 'COUNT', 1)[1]
  return entry, entry and tonumber(string.match(entry[1], '^%d+'))
end

if log.sparedEvents > 0 then
  local spared = lastBefore(0, log.horizon + 1, function(middle)
    local entry, seq = firstFrom(SPARED, middle)
    if not entry or seq > log.horizon then
      return nil
    end
    return tonumber(entry[2][8]) < time and seq
  end)
  local seq, nonce = resumeAfter(log, spared)
  if seq < log.horizon then
    return { log.epoch, seq, nonce }
  end
end

local base = log.horizon
for _, mark in ipairs(redis.call('LRANGE', MARKS, 0, -1)) do
  local seq, markTime = string.match(mark, '^(%d+) %d+ %d+ (%d+)$')
  if tonumber(markTime) < time and tonumber(seq) > base then
    base = tonumber(seq)
  end
end
local last = lastBefore(base, log.head + 1, function(middle)
  local entry, seq = firstFrom(STREAM, middle)
  if not entry then
    return nil
  end
  local itsTime = tonumber(entry[2][6])
  return (itsTime and itsTime < time or not itsTime and ARGV[3] == 'before') and seq
end)
if last >= log.head then
  return { log.epoch, log.head, log.headNonce }
end
if last <= log.horizon then
  return { log.epoch, log.horizon, log.horizonNonce }
end
local entry = firstFrom(STREAM, last)
return { log.epoch, last, tonumber(string.match(entry[1], '%d+$')) }
