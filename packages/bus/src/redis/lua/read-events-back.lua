-- @include log-state
--[[
  Reads the event at a position and those before it, newest first.

  ARGV
    1 epoch     for a log that lost its events
    2 epoch     3 seq     4 nonce: the position; '' for the epoch: the head
    5 limit     most events
    6 maxBytes  of text, after which it stops

  Returns { epoch, horizon, horizonNonce, head, headNonce, gap, end, … }: gap is '' or 'log_lost'; end is 1 when no earlier event is
  kept; then for each event id, topic, text, ms when it was appended ('' when that is not known).
]]
-- Events can have 256 KiB each, so they are not all asked for at once.
local STEP = 50

local log = findLog(ARGV[1])
local seq, left, room = log.head, tonumber(ARGV[5]), tonumber(ARGV[6])
local answer = { rangeOf(log) }
answer[6], answer[7] = '', 0
if ARGV[2] ~= '' then
  if gapBehind(log, ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])) == 'log_lost' then
    answer[6] = 'log_lost'
    return answer
  end
  seq = tonumber(ARGV[3])
end

local function add(entry, appendedAt)
  local text = entry[2][4]
  answer[#answer + 1] = entry[1]
  answer[#answer + 1] = entry[2][2]
  answer[#answer + 1] = text
  answer[#answer + 1] = appendedAt
  left = left - 1
  room = room - #text
end

while left > 0 and room > 0 and seq > log.horizon do
  local found = redis.call('XREVRANGE', STREAM, string.format('%.0f', seq), '-', 'COUNT', math.min(left, STEP))
  -- Some of the events were deleted from outside: it is no longer the log that its positions are from.
  if not found[1] or tonumber(string.match(found[1][1], '^%d+')) ~= seq then
    answer = { rangeOf(beginLog(ARGV[1])) }
    answer[6], answer[7] = 'log_lost', 1
    return answer
  end
  for _, entry in ipairs(found) do
    add(entry, entry[2][6] or '')
    seq = seq - 1
    if room <= 0 then
      break
    end
  end
end
while left > 0 and room > 0 and seq > 0 and log.sparedEvents > 0 do
  local found = redis.call('XREVRANGE', SPARED, string.format('%.0f', seq), '-', 'COUNT', math.min(left, STEP))
  if #found == 0 then
    break
  end
  for _, entry in ipairs(found) do
    add(entry, entry[2][8])
    seq = tonumber(string.match(entry[1], '^%d+')) - 1
    if room <= 0 then
      break
    end
  end
end
answer[7] = left > 0 and room > 0 and 1 or 0
return answer
