-- Counts requests that no chunk tells of: those of looks before anything runs, and of deliveries that end without a word. Only where the batch still is.
-- uses: batch.lua
-- args: lists heads copies deletes
expectIntegers('lists', 'heads', 'copies', 'deletes')
if call('EXISTS', keys.record) == 1 then countRequests(args.lists, args.heads, args.copies, args.deletes) end
return 'ok'
