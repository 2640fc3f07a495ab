-- @include log-state
--[[
  How the log stands.

  ARGV
    1 epoch  for a log that lost its events

  Returns { epoch, horizon, horizonNonce, head, headNonce }
]]
return { rangeOf(findLog(ARGV[1])) }
