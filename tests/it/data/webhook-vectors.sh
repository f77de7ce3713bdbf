#!/usr/bin/env bash
# Prints webhook-vectors.txt: signatures computed by OpenSSL's command line, not by this crate.
#   bash webhook-vectors.sh > webhook-vectors.txt
set -euo pipefail

# Takes a secret and a body with printf's escapes; prints both and the signature of the body.
vector() {
    local signature body
    signature=$(printf '%b' "$2" | openssl dgst -sha256 -hmac "$1" -r | cut -d' ' -f1)
    body=$(printf '%b' "$2" | od -An -v -tx1 | tr -d ' \n')
    printf '%s %s %s\n' "$1" "${body:--}" "$signature"
}

# Prints the letter x so many times.
xs() {
    printf 'x%.0s' $(seq "$1")
}

secret=whsec_7Qm2vXo0sY5tKc9LrE1nZb4Jd8Wf3Hg6

printf '# secret, body in hex ("-" for none), HMAC-SHA256; printed by webhook-vectors.sh with %s\n' \
    "$(openssl version | cut -d' ' -f1-2)"
# Test case 2 of RFC 4231.
vector Jefe 'what do ya want for nothing?'
vector "$secret" ''
vector "$secret" '{}'
vector "$secret" '{"id": "wh_1", "type": "tool.call_requested", "data": {"tool_call_id": "call_1"}}'
vector "$secret" '{"id":"wh_2","type":"session.completed","data":{"metadata":{"team":"Zürich \\u00e9"}}}\n'
vector "$secret" ' \r\n\t{ "id" : "wh_3" , "type" : "batch.failed" , "data" : null }\r\n'
vector "$secret" '\xff\xfe\x00not JSON, not UTF-8\x80'
# Around the 64 bytes of a block: of the body, then of the key.
for length in 55 56 63 64 65 119 128; do
    vector "$secret" "$(xs $length)"
done
for length in 57 58 59 200; do
    vector "whsec_$(xs $length)" '{"id":"wh_4","type":"session.failed","data":{}}'
done
