-- What wrk sends, as the environment says, and what it says when it is done: one line.

wrk.method = os.getenv('BENCH_METHOD') or 'GET'
local body = os.getenv('BENCH_BODY')

-- A value that a row has already is not written again, so every body is another one.
if body and body:find('{n}', 1, true) then
    local start, count = os.time(), 0
    request = function()
        count = count + 1
        return wrk.format(nil, nil, nil, (body:gsub('{n}', start .. '-' .. count)))
    end
elseif body then
    wrk.body = body
end

function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format('BENCH %d %d %d %d %d\n', summary.requests, summary.duration,
        latency:percentile(50), latency:percentile(99),
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
