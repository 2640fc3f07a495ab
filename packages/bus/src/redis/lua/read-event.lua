-- @include log-state
--[[
  Reads the event at a position.

  ARGV
    1 epoch  for a log that lost its events
    2 epoch  3 seq  4 nonce: the position

  Returns { epoch, horizon, horizonNonce, head, headNonce, gap, topic, text, appendedAt }: gap is '', 'retention' or 'log_lost';
  the event is only there when it is ''. appendedAt is '' when it is not known.
]]
local log = findLog(ARGV[1])
local seq, nonce = tonumber(ARGV[3]), tonumber(ARGV[4])
local gap = gapBehind(log, ARGV[2], seq, nonce)
local answer = { rangeOf(log) }
if ARGV[2] == log.epoch and seq <= log.horizon then
  local spared = eventAt(log, seq, nonce)
  if spared then
    answer[6], answer[7], answer[8], answer[9] = '', spared[2][2], spared[2][4], spared[2][8]
    return answer
  end
end
-- One can go on from the horizon, but its event was removed.
if not gap and seq <= log.horizon then
  gap = 'retention'
end
if not gap then
  local id = string.format('%.0f-%.0f', seq, nonce)
  local found = redis.call('XRANGE', STREAM, id, id)[1]
  if found then
    answer[6], answer[7], answer[8], answer[9] = '', found[2][2], found[2][4], found[2][6] or ''
    return answer
  end
  gap = 'log_lost'
end
answer[6] = gap
return answer
