-- @include log-state
--[[
  How the log stands.

  ARGV
    1 epoch  for a log that lost its events

  Returns { epoch, horizon, horizonNonce, head, headNonce, oldest, oldestNonce }: before the first event that is kept.
]]
local log = findLog(ARGV[1])
local answer = { rangeOf(log) }
answer[6], answer[7] = resumeAfter(log, 0)
return answer
