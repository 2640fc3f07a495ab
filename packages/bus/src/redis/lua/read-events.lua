-- @include log-state
--[[
  Reads the events after a position.

  ARGV
    1 epoch     for a log that lost its events
    2 epoch     3 seq     4 nonce: the position
    5 limit     most events
    6 maxBytes  of text, after which it stops

  Returns { epoch, horizon, horizonNonce, head, headNonce, gap, … }: gap is '', 'retention' or 'log_lost'; then seq and nonce of
  where to go on, or for each event id, topic, text, ms when it was appended ('' when that is not known).
]]
-- Events can have 256 KiB each, so they are not all asked for at once.
local STEP = 50

local log = findLog(ARGV[1])
local seq, left, room = tonumber(ARGV[3]), tonumber(ARGV[5]), tonumber(ARGV[6])
local gap, resumeSeq, resumeNonce = gapBehind(log, ARGV[2], seq, tonumber(ARGV[4]))
local answer = { rangeOf(log) }
answer[6] = gap or ''
if gap then
  answer[7], answer[8] = resumeSeq, resumeNonce
  return answer
end

-- Up to the horizon, the events without a hole between them that retention spared.
if seq < log.horizon then
  while left > 0 and room > 0 do
    local found, itsSeq = nextSpared(log, seq)
    if not found or itsSeq ~= seq + 1 then
      break
    end
    answer[#answer + 1] = found[1]
    answer[#answer + 1] = found[2][2]
    answer[#answer + 1] = found[2][4]
    answer[#answer + 1] = found[2][8]
    seq = itsSeq
    left = left - 1
    room = room - #found[2][4]
  end
  return answer
end

while left > 0 and room > 0 and seq < log.head do
  local step = math.min(left, STEP)
  local found = redis.call('XRANGE', STREAM, string.format('%.0f', seq + 1), '+', 'COUNT', step)
  local first = found[1]
  -- Some of the events were deleted from outside: it is no longer the log that its positions are from.
  if not first or tonumber(string.match(first[1], '^%d+')) ~= seq + 1 then
    answer = { rangeOf(beginLog(ARGV[1])) }
    answer[6], answer[7], answer[8] = 'log_lost', 0, 0
    return answer
  end
  for _, entry in ipairs(found) do
    local text = entry[2][4]
    answer[#answer + 1] = entry[1]
    answer[#answer + 1] = entry[2][2]
    answer[#answer + 1] = text
    answer[#answer + 1] = entry[2][6] or ''
    seq = seq + 1
    left = left - 1
    room = room - #text
    if room <= 0 then
      break
    end
  end
end
return answer
