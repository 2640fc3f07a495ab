-- @include log-state
--[[
  How the log stands.

  ARGV
    1 epoch  for a log that is not there yet

  Returns { epoch, horizon, horizonNonce, head, headNonce }
]]
return { rangeOf(openLog(ARGV[1])) }
