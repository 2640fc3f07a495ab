#!lua flags=allow-oom
-- @include group-state
--[[
  Settles events, whichever attempt is named.

  ARGV
    1 …  members

  Returns how many were settled; nil when there is no such group.
]]
local group = openGroup()
if not group then
  return false
end
local found, records = findRecords(ARGV)
for _, member in ipairs(found) do
  showSign(records[member].consumer)
  forget(member, records[member])
end
writeChanges()
return #found
